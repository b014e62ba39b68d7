import { describe, expect, test } from "vitest";
import { counts, createPlace, type Place } from "./kagurazaka.js";

/** What a task says of itself: `static defaults`, `check`, `static idFor`, `outputsOptional`. */
const task = `
import { FinishCheckByOutputFileExistence, InputByExts, InputFromWhateverJsonl, KAGURAZAKA_MIXIN_PLACEHOLDER, KagurazakaTask, moemoecueNormal, NoHardShard,
  OutputByAppendingExt, type OutputFile, type RunPlan } from "kagurazaka";
import { writeFileSync } from "node:fs";

const options = { mood: { type: "string", default: "fine" } } as const;

@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: KAGURAZAKA_MIXIN_PLACEHOLDER }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: OutputByAppendingExt({ ext: ".out" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
  outputsOptional: true,
})
export class Moody extends KagurazakaTask<Record<string, unknown>, typeof options> {
  static options = options;
  static defaults = { num_process: 1, retries: 0, maxFailures: "none" };
  static idFor = ({ task }: { task: Record<string, unknown> }) => "moody-" + String(task.mood);
  check(plan: RunPlan) {
    if (this.options.mood === "bad")
      throw Object.assign(new Error("not in a bad mood: " + JSON.stringify(plan)), { hint: "Say --mood fine." });
  }
  process({ output }: Record<string, unknown>) {
    if (output) writeFileSync((output as OutputFile).path, this.options.mood);
  }
}
`;
const files = { "task.ts": task, "in/a.txt": "a", "in/b.txt": "b", "rows.jsonl": '{"n":1}\n{"n":2}\n' };
const run = (place: Place, ...flags: string[]) => place.run(["task.ts", "Moody", "--json", ...flags]);

describe.concurrent("a task's own check", () => {
  test("is asked before anything is written, with what modes will give; what it throws is exit 2", async () => {
    const place = createPlace(files);
    const before = place.everything();
    for (const [flags, plan] of [
      [["--in", "in"], { inputMode: { name: "InputByExts", yields: "file" }, outputs: [] }],
      [
        ["--in", "in", "--out", "out"],
        { inputMode: { name: "InputByExts", yields: "file" }, outputs: [{ field: "output", type: "file" }] },
      ],
      [
        ["--mixin", "input_mode={use: InputFromWhateverJsonl, jsonl_path: rows.jsonl}"],
        { inputMode: { name: "InputFromWhateverJsonl", yields: "record" }, outputs: [] },
      ],
    ] as const) {
      const { code, stderr } = await run(place, ...flags, "--mood", "bad");
      expect([code, stderr]).toEqual([2, expect.stringMatching(/not in a bad mood: \{.*\}\n/)]);
      const outputRoot = (flags as readonly string[]).includes("--out") ? place.path("out") : null;
      expect(JSON.parse(/bad mood: (.*)\n/.exec(stderr)![1]!)).toEqual({ ...plan, outputRoot, side: "coordinator" });
      expect(stderr).toContain("→ Say --mood fine.");
    }
    expect(place.everything()).toEqual(before);
  });
});

describe.concurrent("optional outputs", () => {
  test("are there with --out, where files decide, and not without it, where the ledger does", async () => {
    const place = createPlace(files);
    expect((await run(place, "--in", "in")).json).toMatchObject({ counts: counts({ done: 2 }), outputRoot: null });
    expect((await run(place, "--in", "in")).json.counts).toEqual(counts({ skipped: 2 }));
    expect((await run(place, "--in", "in", "--out", "out")).json.counts).toEqual(counts({ done: 2 }));
    expect(place.files("out")).toEqual({ "a.txt.out": "fine", "b.txt.out": "fine" });
    expect((await run(place, "--in", "in", "--out", "out")).json.counts).toEqual(counts({ skipped: 2 }));
  });

  test("that are named without a place to put them are a mistake", async () => {
    const { code, stderr } = await run(createPlace(files), "--in", "in", "--mixin", "output_mode.ext=.x");
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/output_mode\.ext names outputs, but there is no output path[\s\S]*--out DIR/),
    ]);
  });
});

describe.concurrent("an input root that nothing reads", () => {
  test("need not be named", async () => {
    const place = createPlace(files);
    const { json, stderr } = await run(
      place,
      "--mixin",
      "input_mode={use: InputFromWhateverJsonl, jsonl_path: rows.jsonl}",
    );
    expect(json.counts, stderr).toEqual(counts({ done: 2 }));
    const none = await run(place);
    expect([none.code, none.stderr]).toEqual([2, expect.stringMatching(/input_path is marked \?\?\?[\s\S]*--in DIR/)]);
  });
});

describe.concurrent("an id for these options", () => {
  test("keeps apart what was done with others", async () => {
    const place = createPlace(files);
    expect((await run(place, "--in", "in")).json).toMatchObject({ task: "moody-fine", counts: counts({ done: 2 }) });
    expect((await run(place, "--in", "in", "--mood", "sad")).json).toMatchObject({
      task: "moody-sad",
      counts: counts({ done: 2 }),
    });
    expect((await run(place, "--in", "in")).json.counts).toEqual(counts({ skipped: 2 }));
    const explained = await place.run(["explain", "a.txt", "task.ts", "Moody", "--in", "in", "--mood", "sad"]);
    expect(explained.stdout).toContain("would be skipped");
    const odd = await run(place, "--in", "in", "--mood", "../..");
    expect([odd.code, odd.stderr]).toEqual([
      2,
      expect.stringMatching(/idFor\(\) of Moody returned "moody-\.\.\/\.\."/),
    ]);
  });
});

describe.concurrent("static defaults", () => {
  test("are shown by help and in the configuration, and a wrong one is the author's mistake", async () => {
    const place = createPlace({ ...files, "wrong.ts": task.replace("retries: 0", "retires: 0") });
    expect((await place.run(["task.ts", "Moody", "-h"])).stdout).toContain(
      "Unless you say otherwise: --num_process 1 --retries 0 --max-failures none.",
    );
    const { stdout } = await run(place, "--in", "in", "--show-config");
    expect(stdout).toMatch(/^run\.retries = 0 +# task$/m);
    const { code, stderr } = await place.run(["wrong.ts", "Moody", "--in", "in"]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/there is no flag "retires"\. Did you mean "retries"\?\n +at static defaults of Moody/),
    ]);
    const inline = await run(place, "--in", "in", "--backbone", "inline");
    expect(inline.json.counts, inline.stderr).toEqual(counts({ done: 2 }));
  });
});
