import { describe, expect, test } from "vitest";
import { mistakesOf, owners, resolveArgv, resolveCode, resolveYaml } from "./helpers.js";

/** `static defaults`: what the task's author thinks fits. */
const withDefaults = (taskDefaults: unknown, more: Record<string, unknown> = {}) => ({ taskDefaults, ...more });
const otherBackboneFlags = async () => ["numProcess", "maxHeap"];

describe("a task's defaults", () => {
  const defaults = withDefaults({ "num-process": 1, concurrency: 16, timeout: "10m", maxFailures: { percent: 5 } });

  test("stand in for what is not given, in any spelling, typed as in code or as a flag's text", async () => {
    const { run, backbone } = await resolveArgv("task.ts T", defaults);
    expect(run).toMatchObject({ concurrency: 16, timeout: 600_000, maxFailures: { percent: 5 } });
    expect(backbone.options).toEqual({ num_process: "1" });
    const typed = withDefaults({ timeout: "250ms", sample: { percent: 1 }, shuffle: true });
    expect((await resolveArgv("task.ts T", typed)).run).toMatchObject({
      timeout: 250,
      sample: { percent: 1 },
      shuffle: true,
    });
  });

  test("give way to --cfg, to flags and to code; a flag that a file leaves empty was not given", async () => {
    const concurrency = async (resolved: ReturnType<typeof resolveArgv>) => (await resolved).run.concurrency;
    expect(await concurrency(resolveYaml("task: { concurrency: 3 }", "", defaults))).toBe(3);
    expect(await concurrency(resolveYaml("backbone: { concurrency: null }", "", defaults))).toBe(16);
    expect(await concurrency(resolveYaml("task: { concurrency: 3 }", "--concurrency 4", defaults))).toBe(4);
    expect(await concurrency(resolveCode({ concurrency: 5 }, defaults))).toBe(5);
    const { backbone } = await resolveCode({ backboneOptions: { num_process: "2" } }, defaults);
    expect(backbone.options).toEqual({ num_process: "2" });
    expect((await resolveArgv("task.ts T --no-shuffle", withDefaults({ shuffle: true }))).run.shuffle).toBe(false);
  });

  test("are told apart by their origin, and what others refer to", async () => {
    const { entries } = await resolveYaml("task: { seed: '${task.concurrency}' }", "", defaults);
    const said = Object.fromEntries(entries.map(({ path, value, origin }) => [path, [value, origin.text]]));
    expect(said["run.concurrency"]).toEqual([16, "task"]);
    expect(said["run.timeout"]).toEqual(["10m", "task"]);
    expect(said["backbone.num_process"]).toEqual([1, "task"]);
    expect(said["run.retries"]).toEqual([2, "default"]);
    const { run } = await resolveYaml("task: { seed: '${task.concurrency}' }", "", defaults);
    expect(run.seed).toBe(16);
  });

  test("that only another backbone has are passed over", async () => {
    const inline = withDefaults(
      { num_process: 1, retries: 0 },
      { backboneName: "inline", backboneOptions: {}, otherBackboneFlags },
    );
    const { run, backbone } = await resolveArgv("task.ts T", inline);
    expect([run.retries, backbone.options]).toEqual([0, {}]);
  });

  const mistakes: readonly (readonly [string, unknown, RegExp])[] = [
    [
      "an unknown name",
      { concurency: 3 },
      /^unknown-flag \| there is no flag "concurency"\. Did you mean "concurrency"\?.* \| static defaults of T/,
    ],
    ["a name like one of another backbone", { max_heep: 3 }, /there is no flag "max_heep"\. Did you mean "max_heap"\?/],
    [
      "a bad value",
      { concurrency: 0 },
      /^bad-value \| concurrency must be a whole number from 1 to 100000, not 0 \| static defaults of T/,
    ],
    ["a bad text", { timeout: "soon" }, /timeout must be a duration .*not "soon" \| static defaults of T/],
    [
      "two spellings",
      { num_process: 1, numProcess: 2 },
      /"num_process" and "numProcess" are two spellings of one flag/,
    ],
    ["a flag of the command line", { json: true }, /--json can only be given when a run is started/],
    ["the backbone itself", { backbone: "inline" }, /--backbone can only be given when a run is started/],
    ["an option of the task", { lang: "en" }, /"lang" is an option of the task itself .* Give that option a default/],
    ["no object at all", "16", /static defaults must be an object/],
    ["a function", { concurrency: () => 3 }, /is a function; only JSON-like values/],
  ];
  for (const [title, taskDefaults, says] of mistakes) {
    test(`with ${title} are a mistake, even where a flag says something else`, async () => {
      const more = {
        ...owners(),
        taskDefaults,
        otherBackboneFlags,
        taskOptions: { lang: { type: "string" } },
      } as const;
      expect(await mistakesOf(() => resolveArgv("task.ts T --concurrency 2", more))).toEqual([
        expect.stringMatching(says),
      ]);
    });
  }
});
