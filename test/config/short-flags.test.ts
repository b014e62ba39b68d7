import { describe, expect, test } from "vitest";
import { inputFromArgv } from "../../src/config/raw-input.js";
import { previewMixin } from "../../src/config/resolve.js";
import { defineHardShardMode, defineInputMode } from "../../src/contracts/define.js";
import { mistakesOf, NoHardShard, owners, placeholder, resolveArgv, resolveYaml, template } from "./helpers.js";

const HardShardModeV1 = defineHardShardMode({
  name: "HardShardModeV1",
  help: "",
  fields: { baseInputPath: { type: "string", required: true }, baseOutputPath: { type: "string", nullable: true } },
  roots: () => [],
});
const InputByLines = defineInputMode<unknown>()({
  name: "InputByLines",
  help: "",
  fields: { linesPath: { type: "string", required: true }, as: { type: "string", default: "path" } },
  yields: "record",
  uniqueKeys: false,
  readsInputRoot: false,
  list: () => [],
});

const loadMode = async (name: string) =>
  name === "InputByLines" ? (InputByLines.definition as never) : owners().loadMode(name);
const task = { template: template(), loadMode };
const resolve = async (words: string, more: Record<string, unknown> = {}) =>
  (await resolveArgv(`task.ts T ${words}`, { ...task, ...more })).task.template!;
const roots = (inputPath: string, outputPath: string) => ({ hardShardMode: { inputPath, outputPath } });

describe("--in, --out and --lines", () => {
  test("are short for values of the template, and fill in what is marked ???", async () => {
    const open = {
      template: template({ hardShardMode: NoHardShard({ inputPath: placeholder, outputPath: placeholder }) }),
    };
    expect(await resolve("--in photos --out small", open)).toMatchObject(roots("photos", "small"));
    expect(await resolve("--in=photos")).toMatchObject(roots("photos", "out"));
    expect(await resolve("--in 007 --out null")).toMatchObject(roots("007", "null"));
    expect(await resolve("--lines urls.txt")).toMatchObject({
      inputMode: { use: "InputByLines", linesPath: "urls.txt", as: "text" },
    });
    for (const flag of ["--files-from", "--files_from", "--filesFrom"])
      expect(await resolve(`${flag} list`)).toMatchObject({
        inputMode: { use: "InputByLines", linesPath: "list", as: "path" },
      });
    await expect(resolve("--files-from a --lines b")).rejects.toThrow(/contradict/);
    expect(await resolve("--lines -")).toMatchObject({
      inputMode: { use: "InputByLines", linesPath: "-", as: "text" },
    });
  });

  test("know where they were said", async () => {
    const { entries } = await resolveArgv("task.ts T --in photos --lines list", task);
    const said = Object.fromEntries(entries.map(({ path, origin }) => [path, origin.text]));
    expect(said).toMatchObject({
      "mixin.hard_shard_mode.input_path": "--in",
      "mixin.hard_shard_mode.output_path": "@moemoecueNormal",
      "mixin.input_mode.use": "--lines",
      "mixin.input_mode.lines_path": "--lines",
    });
  });

  test("may stand in task: or backbone: of --cfg, below --mixin-cfg, --mixin and the command line", async () => {
    const of = async (words: string) =>
      (await resolveYaml("task: { in: a }\nbackbone: { out: b }\nmixin: { soft_shard: null }", words, task)).task
        .template;
    expect(await of("")).toMatchObject(roots("a", "b"));
    expect(await of("--in c")).toMatchObject(roots("c", "b"));
    expect(await of("--mixin hard_shard_mode.input_path=d")).toMatchObject(roots("d", "b"));
    const referring = await resolveYaml('names: { x: photos }\ntask: { in: "${names.x}/raw" }', "", task);
    expect(referring.task.template).toMatchObject(roots("photos/raw", "out"));
  });

  const contradictions: readonly (readonly [string, RegExp])[] = [
    [
      "--in a --mixin hard_shard_mode.input_path=b",
      /^mixin \| --in "a" and hard_shard_mode.input_path="b" say different things \| --in and --mixin hard_shard_mode.input_path/,
    ],
    ["--mixin hardShardMode.outputPath=b --out a", /--out "a" and hard_shard_mode.output_path="b"/],
    ["--lines a --mixin input_mode.lines_path=b", /--lines "a" and input_mode.lines_path="b"/],
    ["--lines a --mixin input_mode=null", /--lines "a" and input_mode=null/],
    [
      "--lines a --mixin input_mode.use=InputByExts input_mode.exts=.txt",
      /--lines "a" and input_mode.use="InputByExts"/,
    ],
  ];
  for (const [words, says] of contradictions) {
    test(`${words}: neither wins`, async () => {
      expect(await mistakesOf(() => resolve(words))).toEqual([expect.stringMatching(says)]);
    });
  }

  test("that say the same as --mixin are fine, and a file that says two things is not", async () => {
    expect(await resolve("--in a --mixin hard_shard_mode.input_path=a")).toMatchObject(roots("a", "out"));
    const cfg = "task: { in: a }\nmixin: { hard_shard_mode: { input_path: b } }";
    expect(await mistakesOf(() => resolveYaml(cfg, "", task))).toEqual([
      expect.stringMatching(
        /--in "a" and hard_shard_mode.input_path="b" say different things \| .*base\.yaml:1:\d+ and .*base\.yaml:2/,
      ),
    ]);
  });

  test("are refused where the template has no such field, and where there is no template", async () => {
    const sharded = { ...task, template: template({ hardShardMode: HardShardModeV1({ baseInputPath: "in" }) }) };
    expect(await mistakesOf(() => resolve("--in a", sharded))).toEqual([
      expect.stringMatching(
        /--in sets input_path, and HardShardModeV1 has no such field \| --in \| Say --mixin with hard_shard_mode\.base_input_path/,
      ),
    ]);
    expect(await mistakesOf(() => resolveArgv("task.ts T --out a"))).toEqual([
      expect.stringMatching(/--out sets hard_shard_mode, but the task T has no template \| --out/),
    ]);
    expect(await mistakesOf(() => resolve("--in a", { template: template({}, false) }))).toEqual([
      expect.stringMatching(/mixinMode: false/),
    ]);
    expect(await mistakesOf(() => resolve("--in"))).toEqual([expect.stringMatching(/--in needs a value/)]);
  });

  test("belong to the task that declares them itself, as what it declares", async () => {
    const taskOptions = { in: { type: "integer" }, lines: { type: "boolean", default: false } } as const;
    const { task: resolved } = await resolveArgv("task.ts T --in 7 --lines --out b", { ...task, taskOptions });
    expect(resolved.task).toEqual({ in: 7, lines: true });
    expect(resolved.template).toMatchObject({ ...roots("in", "b"), inputMode: { use: "InputByExts" } });
  });

  test("go to a task that reads flags raw and has no template", async () => {
    const { task: resolved } = await resolveArgv("task.ts T --in 7", { rawArgs: true });
    expect(resolved.rawArgs).toEqual(["--in", "7"]);
  });

  test("are seen by help", async () => {
    const merged = await previewMixin(inputFromArgv(["task.ts", "T", "--in", "photos"]), owners(task));
    expect(JSON.stringify(merged?.tree)).toContain("photos");
  });
});
