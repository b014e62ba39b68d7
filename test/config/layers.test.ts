import { describe, expect, test } from "vitest";
import type { Resolved } from "../../src/config/resolve.js";
import { folder, mistakesOf, resolveArgv, resolveCode, taskOptions, template } from "./helpers.js";

const options = taskOptions({ s: { type: "string" }, j: { type: "json" }, n: { type: "integer" } });

const withFiles = (files: Record<string, string>, more = {}) => ({ ...options, cwd: folder(files), ...more });

const fieldsOf = (config: Resolved): unknown => ({ ...config.task.template });

describe("several --cfg", () => {
  const files = {
    "a.yaml": "x: {deep: {a: 1, b: 1}}\ntask: {s: first, j: {a: 1, k: {b: 1, list: [1, 2]}}, max-failures: 5}\n",
    "b.yaml": "x: {deep: {b: 2}}\ntask:\n  j: {k: {list: [3]}}\n  maxFailures: 7\n  n: ${x.deep.a}${x.deep.b}\n",
  };

  test.each([
    ["two flags", ["--cfg", "a.yaml", "--cfg", "b.yaml"]],
    ["two spellings", ["--cfg=a.yaml", "--CFG=b.yaml"]],
  ])("are merged in order, mappings deeply, lists whole, flags in any spelling: %s", async (_, flags) => {
    const config = await resolveArgv(["task.ts", "T", ...flags], withFiles(files));
    expect(config.task.task).toEqual({ s: "first", j: { a: 1, k: { b: 1, list: [3] } }, n: 12 });
    expect(config.run.maxFailures).toEqual({ count: 7 });
    const origin = (path: string) => config.entries.find((entry) => entry.path === path)?.origin.text;
    expect([origin("task.j.a"), origin("task.j.k.list")]).toEqual(["a.yaml:2:25", "b.yaml:3:17"]);
  });

  test("the last one wins, and code gives a list of them", async () => {
    const more = withFiles(files);
    const turned = await resolveArgv("task.ts T --cfg b.yaml --cfg a.yaml", more);
    expect(turned.task.task).toMatchObject({ j: { k: { list: [1, 2] } }, n: 11 });
    expect(turned.run.maxFailures).toEqual({ count: 5 });
    expect((await resolveCode({ cfg: ["b.yaml", "a.yaml"] }, more)).task).toEqual(turned.task);
  });

  test("a mistake names the file and line that says it", async () => {
    const more = withFiles({ "a.yaml": "task: {n: x}\nsteam: 1\n", "b.yaml": "\ntask: {j: 1, nope: 2}\n" });
    expect(await mistakesOf(() => resolveArgv("task.ts T --cfg a.yaml --cfg b.yaml --cfg none.yaml", more))).toEqual([
      expect.stringMatching(/^config-file \| none.yaml does not exist/),
      expect.stringMatching(/^unknown-flag .* \| b\.yaml:2:14/),
      expect.stringMatching(/^bad-value \| n must be .* \| a\.yaml:1:11/),
      expect.stringMatching(/nothing reads the section "steam".*a\.yaml:2:1/),
    ]);
    const twice = Array.from({ length: 101 }, () => "--cfg a.yaml").join(" ");
    expect((await mistakesOf(() => resolveArgv(`task.ts T ${twice}`, more)))[0]).toContain("--cfg is given 101 times");
  });

  test("so are their mixins and --in, and several --mixin-cfg: later files win over earlier ones", async () => {
    const more = withFiles(
      {
        "a.yaml": "mixin: {hard_shard_mode: {input_path: a, output_path: a}, input_mode: {exts: [.a], hidden: true}}",
        "b.yaml": "mixin: {inputMode: {exts: [.b]}}\ntask: {in: b}",
        "c.yaml": "mixin: {hard_shard_mode: {input_path: c}}",
        "d.yaml": "hard_shard_mode: {output_path: d}\ninput_mode: {exts: [.d]}",
        "e.yaml": "input_mode: {exts: [.e]}",
      },
      { template: template() },
    );
    const of = async (line: string) => fieldsOf(await resolveArgv(`task.ts T ${line}`, more));
    expect(await of("--cfg a.yaml --cfg b.yaml")).toMatchObject({
      hardShardMode: { inputPath: "b", outputPath: "a" },
      inputMode: { exts: [".b"], hidden: true },
    });
    expect(await of("--cfg b.yaml --cfg c.yaml")).toMatchObject({ hardShardMode: { inputPath: "c" } });
    expect(await of("--cfg c.yaml --cfg b.yaml")).toMatchObject({ hardShardMode: { inputPath: "b" } });
    const both = { hardShardMode: { inputPath: "a", outputPath: "d" }, inputMode: { exts: [".e"], hidden: true } };
    expect(await of("--mixin-cfg d.yaml --mixin-cfg e.yaml --cfg a.yaml")).toMatchObject(both);
    const code = await resolveCode({ cfg: "a.yaml", mixinCfg: ["d.yaml", "e.yaml"] }, more);
    expect(fieldsOf(code)).toMatchObject(both);
  });
});

test("--mixin groups are merged in order, however often they come", async () => {
  const words = ["--mixin", "input_mode={use: InputByExts, exts: [.a]}", "--mixin", "inputMode.hidden=true", "--mixin"];
  const config = await resolveArgv(["task.ts", "T", ...words, "input_mode={exts: [.b]}"], { template: template() });
  expect(fieldsOf(config)).toMatchObject({ inputMode: { exts: [".b"], hidden: true } });
});

describe("a section at the top of a file that only aliases refer to", () => {
  const good: Record<string, string> = {
    "a merge key": "common: &c {s: hello}\ntask:\n  <<: *c\n  n: 2\n",
    "a whole alias and a scalar in it": "x-n: &n 2\nx-task: &t {s: hello, n: *n}\ntask: *t\n",
    "what nobody uses, under x-": "x-common: &c {a: 1}\ntask: {s: hello, n: 2}\n",
    "a part of it": "x: {unused: 1, deep: [{one: &c {s: hello, n: 2}}]}\ntask: *c\n",
    "a list of merges": "x: &x {s: hello}\ny: &y {n: 2, s: no}\ntask: {<<: [*x, *y]}\n",
  };
  for (const [title, text] of Object.entries(good)) {
    test(`is read: ${title}`, async () => {
      const config = await resolveArgv("task.ts T --cfg a.yaml", withFiles({ "a.yaml": text }));
      expect(config.task.task).toMatchObject({ s: "hello", n: 2 });
    });
  }

  test("an alias means the anchor before it, also inside what another alias repeats", async () => {
    const text = "x: &a {s: one, j: {k: &b 1}}\ny: &c {n: *b}\nz: &b 5\ntask: {<<: [*c, *a], j: *b}\n";
    const config = await resolveArgv("task.ts T --cfg a.yaml", withFiles({ "a.yaml": text }));
    expect(config.task.task).toMatchObject({ s: "one", n: 1, j: 5 });
  });

  test("in a --mixin-cfg too", async () => {
    const more = withFiles({ "m.yaml": "x: &x {exts: [.x]}\ninput_mode: {<<: *x}\n" }, { template: template() });
    const config = await resolveArgv("task.ts T --mixin-cfg m.yaml", more);
    expect(fieldsOf(config)).toMatchObject({ inputMode: { exts: [".x"] } });
  });

  test.each([
    ["nobody refers to it", "x: &x 1\ntask: {n: 2}\n"],
    ["it refers to itself alone", "x: {a: &a 1, b: *a}\n"],
    ["another one's alias is no use of its own", "y: &y 1\nx: {b: *y}\n"],
  ])("is refused where %s", async (_, text) => {
    const mistakes = await mistakesOf(() => resolveArgv("task.ts T --cfg a.yaml", withFiles({ "a.yaml": text })));
    expect(mistakes).toEqual([expect.stringMatching(/nothing reads the section "x"/)]);
  });
});
