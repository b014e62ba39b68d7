import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  defineOwnMode,
  folder,
  placeholder as HOLE,
  InputByGlob,
  mistakesOf,
  NoHardShard,
  OutputByFilenameSubfoldering,
  owners,
  resolveArgv,
  resolveCode,
  resolveYaml,
  SoftShard,
  template,
} from "./helpers.js";

const modes = async (cfg: string, words = "", spec: Record<string, unknown> = {}): Promise<Record<string, unknown>> =>
  (await resolveYaml(cfg, words, { template: template(spec) })).task.template as Record<string, unknown>;

describe("layers merge low to high", () => {
  test("decorator < mixin: of --cfg < --mixin-cfg < --mixin, each saying only what it says", async () => {
    const dir = folder({
      "base.yaml": "mixin:\n  hard_shard_mode: {input_path: cfg, output_path: cfg}\n  soft_shard: {shard_num: 2}\n",
      "site.yaml": "hard_shard_mode: {input_path: site}\nsoft_shard: {shard_num: 3}\n",
    });
    const config = await resolveArgv("task.ts T --cfg base.yaml --mixin-cfg site.yaml --mixin soft_shard.shard_num=4", {
      template: template(),
      cwd: dir,
    });
    expect(config.task.template).toEqual({
      hardShardMode: { use: "NoHardShard", inputPath: "site", outputPath: "cfg" },
      softShard: { use: "SoftShard", shardIdx: 0, shardNum: 4 },
      inputMode: { use: "InputByExts", exts: [".txt"], hidden: false },
    });
    const origin = (path: string) => config.entries.find((entry) => entry.path === path)?.origin.text;
    expect(origin("mixin.soft_shard.shard_num")).toBe("--mixin soft_shard.shard_num");
    expect(origin("mixin.hard_shard_mode.input_path")).toBe("site.yaml:1:31");
    expect(origin("mixin.hard_shard_mode.output_path")).toMatch(/^base\.yaml:2:/);
    expect(origin("mixin.soft_shard.shard_idx")).toBe("@moemoecueNormal");
    expect(origin("mixin.input_mode.hidden")).toBe("default");
  });
  test("two --mixin groups are both kept and the later wins per key", async () => {
    const out = await modes(
      "",
      "--mixin hard_shard_mode.input_path=a hard_shard_mode.output_path=b --mixin hard_shard_mode.input_path=c",
    );
    expect(out.hardShardMode).toMatchObject({ inputPath: "c", outputPath: "b" });
  });
  test("without any layer the decorator's values are it", async () => {
    const config = await resolveArgv("task.ts T", { template: template() });
    expect(config.task.template).toMatchObject({ hardShardMode: { inputPath: "in" } });
  });
});

describe("what merges and what replaces", () => {
  const cases: [string, string, string, Record<string, unknown>, Record<string, unknown>][] = [
    ["lists replace", "mixin: {input_mode: {exts: [.a, .b]}}", "", {}, { inputMode: { exts: [".a", ".b"] } }],
    ["null turns a mode off", "mixin: {soft_shard: null}", "", {}, { softShard: null }],
    ["null on the command line too", "", "--mixin soft_shard=null", {}, { softShard: null }],
    [
      "a mode that was off comes back with its use",
      "mixin: {soft_shard: null}",
      "--mixin soft_shard.use=SoftShard soft_shard.shard_idx=1 soft_shard.shard_num=2",
      {},
      { softShard: { shardIdx: 1, shardNum: 2 } },
    ],
    [
      "soft_shard has one mode, so its use need not be said",
      "mixin: {soft_shard: {shard_idx: 1, shard_num: 2}}",
      "",
      { softShard: undefined },
      { softShard: { use: "SoftShard", shardIdx: 1 } },
    ],
    [
      "a nullable field may be null",
      "",
      "--mixin hard_shard_mode.output_path=null",
      {},
      { hardShardMode: { outputPath: null } },
    ],
    [
      "another use replaces the whole mode",
      'mixin: {input_mode: {use: InputByGlob, glob_pattern: "**/*.png"}}',
      "",
      {},
      { inputMode: { use: "InputByGlob", globPattern: "**/*.png", settleTime: 1000 } },
    ],
    [
      "the same use merges",
      "mixin: {input_mode: {use: InputByExts, hidden: true}}",
      "",
      {},
      { inputMode: { exts: [".txt"], hidden: true } },
    ],
    [
      "use and fields in any order on the command line",
      "",
      "--mixin input_mode.glob_pattern=*.png input_mode.use=InputByGlob",
      {},
      { inputMode: { globPattern: "*.png" } },
    ],
    [
      "a map merges by key and keeps its users' spellings",
      "mixin: {output_mode: {file_to_write: {raw_text: r.txt, rawText: R.txt, toString: s}}}",
      "--mixin output_mode.file_to_write.meta-data=m.json",
      { outputMode: OutputByFilenameSubfoldering({ fileToWrite: { first: "1" } }) },
      {
        outputMode: {
          fileToWrite: { first: "1", raw_text: "r.txt", rawText: "R.txt", toString: "s", "meta-data": "m.json" },
        },
      },
    ],
    [
      "any depth of a JSON field merges",
      "mixin: {soft_shard: {subshard: {a: {b: 1}}}}",
      "--mixin soft_shard.subshard.a.c=2",
      {},
      { softShard: { subshard: { a: { b: 1, c: 2 } } } },
    ],
    [
      "flow and quotes on the command line",
      "",
      "--mixin input_mode.exts=[.py,.ts] hard_shard_mode.input_path='7'",
      {},
      { inputMode: { exts: [".py", ".ts"] }, hardShardMode: { inputPath: "7" } },
    ],
    [
      "numbers for texts stay as written",
      "mixin: {hard_shard_mode: {input_path: 007, output_path: 1.10}}",
      "",
      {},
      { hardShardMode: { inputPath: "007", outputPath: "1.10" } },
    ],
    [
      "characters YAML would take for comments or anchors are text on the command line",
      "",
      "--mixin hard_shard_mode.input_path=#a hard_shard_mode.output_path=*b",
      {},
      { hardShardMode: { inputPath: "#a", outputPath: "*b" } },
    ],
    [
      "a pattern that begins with a placeholder is a text, and no mapping",
      "",
      "--mixin hard_shard_mode.input_path={key}.txt hard_shard_mode.output_path={rel_dir}/{stem}",
      {},
      { hardShardMode: { inputPath: "{key}.txt", outputPath: "{rel_dir}/{stem}" } },
    ],
    [
      "an empty value is an empty text, never null",
      "",
      "--mixin hard_shard_mode.output_path=",
      {},
      { hardShardMode: { outputPath: "" } },
    ],
    [
      "a range of shards",
      "",
      "--mixin soft_shard.shard_idx=[0,2] soft_shard.shard_num=4",
      {},
      { softShard: { shardIdx: [0, 2] } },
    ],
    [
      "kebab-case and camelCase are the same names",
      "mixin: {hard-shard-mode: {inputPath: a}}",
      "--mixin hardShardMode.output-path=b",
      {},
      { hardShardMode: { inputPath: "a", outputPath: "b" } },
    ],
  ];
  test.each(cases)("%s", async (_, cfg, words, spec, expected) => {
    expect(await modes(cfg, words, spec)).toMatchObject(expected);
  });
  test("a mode no registry knows keeps its definition while config fills it", async () => {
    const Own = defineOwnMode();
    expect(await modes("mixin: {input_mode: {size: 64KB}}", "", { inputMode: Own({ size: 1 }) })).toMatchObject({
      inputMode: { use: "Own", size: 64_000 },
    });
  });
  test("a task off the shelf may be written in plain data", async () => {
    expect(await modes("", "", { inputMode: { use: "InputByGlob", globPattern: "*" } })).toMatchObject({
      inputMode: { globPattern: "*" },
    });
  });
  test("values from YAML 1.1 are accepted with a note", async () => {
    const config = await resolveYaml("mixin: {input_mode: {hidden: yes}}");
    expect(config.task.template).toMatchObject({ inputMode: { hidden: true } });
    expect(config.notes).toEqual([expect.stringMatching(/input_mode\.hidden \(base\.yaml:1:30\).*YAML 1\.1/)]);
  });
});

describe("placeholders", () => {
  test("all are reported at once, each with the flag that would fill it", async () => {
    const spec = {
      hardShardMode: NoHardShard({ inputPath: HOLE, outputPath: HOLE }),
      inputMode: { use: "InputByExts", exts: [".a", HOLE] },
      outputMode: OutputByFilenameSubfoldering({ fileToWrite: { raw_text: HOLE } }),
    };
    const mistakes = await mistakesOf(() =>
      modes("mixin: {soft_shard: {shard_num: '???'}}\ntask: {lang: '???'}", "", spec),
    );
    // `lang` is no option here, which is told beside the placeholders.
    expect(
      mistakes.filter((text) => text.startsWith("placeholder")).map((text) => text.split(" | ").slice(1).join(" | ")),
    ).toEqual([
      "mixin.hard_shard_mode.input_path is marked ??? and was not filled in | @moemoecueNormal | --in DIR, which is short for --mixin hard_shard_mode.input_path=DIR",
      "mixin.hard_shard_mode.output_path is marked ??? and was not filled in | @moemoecueNormal | --out DIR, which is short for --mixin hard_shard_mode.output_path=DIR",
      "mixin.soft_shard.shard_num is marked ??? and was not filled in | base.yaml:1:33 | --mixin soft_shard.shard_num=…",
      "mixin.input_mode.exts.1 is marked ??? and was not filled in | @moemoecueNormal | --mixin input_mode.exts=[…]",
      "mixin.output_mode.file_to_write.raw_text is marked ??? and was not filled in | @moemoecueNormal | --mixin output_mode.file_to_write.raw_text=…",
    ]);
    expect(mistakes).toHaveLength(6);
  });
  test("filled ones are gone, and one that others refer to is reported once", async () => {
    const spec = { hardShardMode: NoHardShard({ inputPath: HOLE, outputPath: "${.input_path}/out" }) };
    expect(await modes("", "--mixin hard_shard_mode.input_path=in", spec)).toMatchObject({
      hardShardMode: { outputPath: "in/out" },
    });
    expect(await mistakesOf(() => modes("", "", spec))).toHaveLength(1);
  });
  test("a mode turned off needs nothing filled", async () => {
    expect(
      await modes("", "--mixin soft_shard=null", { softShard: SoftShard({ shardIdx: 0, shardNum: HOLE as never }) }),
    ).toMatchObject({ softShard: null });
  });
  test("a required field without a value names the flag", async () => {
    expect((await mistakesOf(() => modes("", "--mixin input_mode.use=InputByGlob")))[0]).toMatch(
      /glob_pattern has no value.*--mixin input_mode\.glob_pattern=…/,
    );
  });
});

describe("mistakes name the nearest name and the place", () => {
  const bad: [string, string, string, RegExp][] = [
    [
      "an unknown field of the template",
      "mixin: {hard_shard_mod: {}}",
      "",
      /mixin .*no key "hard_shard_mod".*Did you mean "hard_shard_mode".*base\.yaml:1:9/,
    ],
    [
      "an unknown field of a mode",
      "mixin:\n  hard_shard_mode:\n    ouput_path: x\n",
      "",
      /NoHardShard has no key "ouput_path".*"output_path".*base\.yaml:3:5/,
    ],
    [
      "an unknown key of --mixin",
      "",
      "--mixin soft_shard.shard_nmu=1",
      /no key "shard_nmu".*"shard_num".*--mixin soft_shard\.shard_nmu/,
    ],
    [
      "an unknown mode",
      "mixin: {input_mode: {use: InputByGlop}}",
      "",
      /no mode "InputByGlop".*Did you mean "InputByGlob".*base\.yaml:1:27.*known modes: FinishCheckByLedger, InputByExts/,
    ],
    [
      "a mode of another kind",
      "mixin: {input_mode: {use: SoftShard}}",
      "",
      /SoftShard is a mode of kind soft-shard; input_mode takes one of kind input.*base\.yaml:1:27/,
    ],
    ["a mode without a name", "mixin: {output_mode: {x: 1}}", "", /output_mode does not say which mode/],
    [
      "a text where a mode belongs",
      "mixin: {input_mode: InputByGlob}",
      "",
      /input_mode must be a mapping.*base\.yaml:1:21/,
    ],
    [
      "both spellings of one field",
      "mixin: {hard_shard_mode: {input_path: a, inputPath: b}}",
      "",
      /"input_path" and "inputPath" are two spellings/,
    ],
    ["both spellings of one template field", "mixin: {softShard: null, soft_shard: null}", "", /two spellings/],
    ["both spellings on the command line", "", "--mixin soft_shard.shard_num=1 soft_shard.shardNum=2", /two spellings/],
    [
      "a value of the wrong type",
      "mixin: {soft_shard: {shard_num: many}}",
      "",
      /bad-value \| soft_shard\.shard_num must be a whole number.*base\.yaml:1:33/,
    ],
    [
      "null where nothing may be null",
      "",
      "--mixin soft_shard.shard_num=null",
      /soft_shard\.shard_num must be a whole number/,
    ],
    ["flow that is no YAML", "", "--mixin input_mode.exts=[.py", /is not YAML/],
    ["no key=value", "", "--mixin nothing", /--mixin needs key=value/],
    ["an empty segment", "", "--mixin a..b=1", /empty name/],
  ];
  test.each(bad)("%s", async (_, cfg, words, says) => {
    expect((await mistakesOf(() => modes(cfg, words))).join("\n")).toMatch(says);
  });
  test("all of them at once", async () => {
    expect(
      await mistakesOf(() => modes("mixin: {hard_shard_mode: {x1: 1, y2: 2}, input_mode: {use: Z}}", "--zz")),
    ).toHaveLength(4);
  });
  test("a task without a template, and one that allows no mixin, say so", async () => {
    expect((await mistakesOf(() => resolveArgv("task.ts T --mixin a.b=1")))[0]).toMatch(/has no template/);
    expect(
      (await mistakesOf(() => resolveArgv("task.ts T --mixin soft_shard=null", { template: template({}, false) })))[0],
    ).toMatch(/mixinMode: false/);
  });
});

describe("keys like __proto__ are refused in every layer", () => {
  const evil = ["__proto__", "constructor", "prototype"];
  const layers: [string, (key: string) => Promise<unknown>][] = [
    ["mixin: of --cfg", (key) => modes(`mixin: {soft_shard: {${key}: {polluted: 1}}}`)],
    ["task: of --cfg", (key) => modes(`task: {x: {${key}: 1}}`)],
    [
      "--mixin-cfg",
      (key) =>
        resolveArgv("task.ts T --mixin-cfg m.yaml", {
          template: template(),
          cwd: folder({ "m.yaml": `${key}: {polluted: 1}` }),
        }),
    ],
    ["--mixin, dotted", (key) => modes("", `--mixin soft_shard.${key}.polluted=1`)],
    ["--mixin, outermost", (key) => modes("", `--mixin ${key}.polluted=1`)],
    ["--mixin, innermost", (key) => modes("", `--mixin a.b.${key}=1`)],
    ["--mixin, flow", (key) => modes("", `--mixin soft_shard.subshard={"${key}":{"polluted":1}}`)],
    [
      "the decorator",
      (key) => modes("", "", { softShard: { use: "SoftShard", subshard: JSON.parse(`{"${key}": {"polluted": 1}}`) } }),
    ],
    [
      "code's mixin",
      (key) =>
        resolveCode({ mixin: { soft_shard: JSON.parse(`{"${key}": {"polluted": 1}}`) } }, { template: template() }),
    ],
    ["code's taskOptions", (key) => resolveCode({ taskOptions: JSON.parse(`{"a": {"${key}": 1}}`) })],
  ];
  test.each(layers.flatMap(([layer, run]) => evil.map((key) => [layer, key, run] as const)))(
    "%s: %s",
    async (_layer, key, run) => {
      expect((await mistakesOf(() => run(key)))[0]).toMatch(/^forbidden-key/);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    },
  );
  test("constructor.prototype in one dotted key", async () => {
    expect((await mistakesOf(() => modes("", "--mixin soft_shard.constructor.prototype.polluted=1")))[0]).toMatch(
      /^forbidden-key/,
    );
  });
});

test("no merge of any layers ever changes Object.prototype, and results have no prototype", async () => {
  const key = fc.constantFrom(
    "__proto__",
    "constructor",
    "prototype",
    "soft_shard",
    "softShard",
    "subshard",
    "use",
    "toString",
    "hasOwnProperty",
    "a",
    "valueOf",
  );
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, 1, "x", "SoftShard", "???", "${a}"),
      fc.array(tie("node"), { maxLength: 2 }),
      fc
        .array(fc.tuple(key, tie("node")), { maxLength: 3 })
        .map((pairs) =>
          JSON.parse(`{${pairs.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(",")}}`),
        ),
    ),
  })).node;
  const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort());
  await fc.assert(
    fc.asyncProperty(
      tree,
      tree,
      fc.array(fc.tuple(fc.array(key, { minLength: 1, maxLength: 4 }), tree), { maxLength: 3 }),
      async (first, second, words) => {
        const cwd = folderFor(`mixin: {soft_shard: {subshard: ${JSON.stringify(first)}}}\n`);
        const argv = [
          "task.ts",
          "T",
          "--cfg",
          "base.yaml",
          ...words.flatMap(([path, value]) => ["--mixin", `${path.join(".")}=${JSON.stringify(value)}`]),
        ];
        const spec = template({ softShard: { use: "SoftShard", shardIdx: 0, shardNum: 1, subshard: second } });
        const result = await resolveArgv(argv, { template: spec, cwd }).catch((error: { code?: string }) => {
          if (typeof error.code !== "string") throw error;
        });
        expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort())).toBe(before);
        if (result) expect(Object.getPrototypeOf(result.task.template)).toBeNull();
      },
    ),
    { numRuns: 150 },
  );
  function folderFor(text: string): string {
    return folder({ "base.yaml": text });
  }
}, 60_000);

test("keys of Object's own are keys like any other, through several merges", async () => {
  const out = await modes(
    "mixin: {soft_shard: {subshard: {toString: 1, valueOf: {a: 1}, new: {toString: {valueOf: 4}}}}}",
    "--mixin soft_shard.subshard.hasOwnProperty=2 soft_shard.subshard.valueOf.b=3",
    { softShard: SoftShard({ shardIdx: 0, shardNum: 1, subshard: { toString: 0, z: 0 } }) },
  );
  expect(JSON.parse(JSON.stringify((out.softShard as { subshard: unknown }).subshard))).toEqual({
    toString: 1,
    z: 0,
    valueOf: { a: 1, b: 3 },
    new: { toString: { valueOf: 4 } },
    hasOwnProperty: 2,
  });
});

test("owners and modes given are left as they were", async () => {
  const given = template({ inputMode: InputByGlob({ globPattern: "a" }) });
  const before = JSON.stringify(given);
  await resolveArgv("task.ts T --mixin input_mode.glob_pattern=b", { ...owners(), template: given });
  expect(JSON.stringify(given)).toBe(before);
});
