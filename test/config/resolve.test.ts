import { describe, expect, test } from "vitest";
import { renderBackboneHelp, renderTaskHelp, renderToolHelp } from "../../src/config/help.js";
import { type CodeOptions, inputFromArgv } from "../../src/config/raw-input.js";
import { peekConfig, previewMixin } from "../../src/config/resolve.js";
import { runOptions, toolOptions } from "../../src/config/run-options.js";
import { maskEntry } from "../../src/config/secrets.js";
import { snakeName } from "../../src/config/text/names.js";
import {
  folder,
  mistakesOf,
  NoHardShard,
  owners,
  placeholder,
  resolveArgv,
  resolveCode,
  resolveYaml,
  taskOptions,
  template,
} from "./helpers.js";

const options = taskOptions({
  lang: { type: "string", default: "en" },
  n: { type: "integer" },
  verbose: { type: "boolean", default: false },
  cache: { type: "boolean", default: true },
  exts: { type: "strings" },
  meta: { type: "json" },
  label: { type: "string" },
});

describe("the run's settings", () => {
  test("have these defaults", async () => {
    expect((await resolveArgv("task.ts T")).run).toEqual({
      dryRun: false,
      limit: undefined,
      sample: undefined,
      only: [],
      keys: undefined,
      shuffle: false,
      seed: 0,
      shard: undefined,
      force: false,
      redo: [],
      skipFailed: false,
      retryFailed: false,
      retries: 2,
      backoff: { minMs: 1000, maxMs: 60_000 },
      timeout: undefined,
      maxFailures: undefined,
      allowFailures: undefined,
      stall: undefined,
      grace: 30_000,
      rate: undefined,
      runDir: undefined,
      durable: false,
      concurrency: undefined,
      chunksize: "auto",
    });
  });
  const flags: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ["--sample 1%", { sample: { percent: 1 } }, { sample: { percent: 1 } }],
    ["--sample 100", { sample: { count: 100 } }, { sample: { count: 100 } }],
    ["--shard 0/4", { shard: { index: 0, of: 4 } }, { shard: { index: 0, of: 4 } }],
    ["--force", { force: "continue" }, { force: true }],
    ["--force new", { force: "new" }, { force: "new" }],
    ["--backoff 500ms:2m", { backoff: { minMs: 500, maxMs: 120_000 } }, { backoff: { minMs: 500, maxMs: 120_000 } }],
    ["--timeout 60000ms", { timeout: 60_000 }, { timeout: "60000ms" }],
    ["--timeout 60s", { timeout: 60_000 }, { timeout: "60s" }],
    ["--max-failures none", { maxFailures: "none" }, { maxFailures: "none" }],
    ["--max-failures 5%", { maxFailures: { percent: 5 } }, { maxFailures: "5%" }],
    ["--max-failures 5", { maxFailures: { count: 5 } }, { maxFailures: 5 }],
    ["--allow-failures 10", { allowFailures: { count: 10 } }, { allowFailures: { count: 10 } }],
    ["--rate 120/m", { rate: { perSecond: 2 } }, { rate: { perSecond: 2 } }],
    ["--rate 50/s", { rate: { perSecond: 50 } }, { rate: "50/s" }],
    ["--chunksize 10", { chunksize: 10 }, { chunksize: 10 }],
    ["--only a* --only b*", { only: ["a*", "b*"] }, { only: ["a*", "b*"] }],
    ["--stall 30m --grace 5s", { stall: 1_800_000, grace: 5000 }, { stall: "1800000ms", grace: "5s" }],
    [
      "--seed -1 --shuffle --durable",
      { seed: -1, shuffle: true, durable: true },
      { seed: -1, shuffle: true, durable: true },
    ],
  ];
  test.each(flags)("%s, and the same from code", async (line, run, code) => {
    expect((await resolveArgv(`task.ts T ${line}`)).run).toMatchObject(run);
    expect((await resolveCode(code)).run).toMatchObject(run);
  });
  const bad = [
    "--limit x",
    "--limit -1",
    "--sample 101%",
    "--sample x",
    "--shard 4/4",
    "--shard 1",
    "--backoff 60s:1s",
    "--timeout 60parsecs",
    "--timeout 0",
    "--max-failures some",
    "--rate 0/s",
    "--rate 5/d",
    "--rate 5",
    "--backoff 1:60s",
    "--concurrency 1000000000",
    "--retries 1000000000",
    "--chunksize 1000000000",
    "--sample 1000000000",
    "--concurrency 0",
    "--chunksize 0",
    "--retries 1.5",
    "--grace -1s",
    "--progress fast",
    "--log-format xml",
    "--dry-run=perhaps",
  ];
  test.each(bad)("%s is refused with the flag's name", async (line) => {
    const mistakes = await mistakesOf(() => resolveArgv(`task.ts T ${line}`));
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(new RegExp(`^bad-value .* must be .* \\| ${line.split(/[ =]/)[0]}`));
  });
});

describe("task: and backbone: of --cfg are flags without dashes", () => {
  const cases: [string, string, Record<string, unknown>][] = [
    ["scalars", "task: {lang: de, n: 3}", { lang: "de", n: 3 }],
    ["a number for a text, as written", "task: {label: 007}", { label: "007" }],
    ["a list is several values", "task: {exts: [.a, .b]}", { exts: [".a", ".b"] }],
    ["a mapping is one JSON argument", "task: {meta: {a: [1]}, label: {b: 2}}", { meta: { a: [1] }, label: '{"b":2}' }],
    ["store_true is a bare flag", "task: {verbose: store_true}", { verbose: true }],
    ["true is a bare flag", "task: {verbose: true}", { verbose: true }],
    ["false and null are not given", "task: {lang: null, n: false}", { lang: "en", n: undefined }],
    ["false switches off what is on by default", "task: {cache: false}", { cache: false }],
    ["both sections mean the same", "backbone: {lang: de}", { lang: "de" }],
    ["an empty section says nothing", "task:\nbackbone:\nmixin:\n", { lang: "en" }],
  ];
  test.each(cases)("%s", async (_, cfg, task) => {
    expect((await resolveYaml(cfg, "", options)).task.task).toMatchObject(task);
  });
  test("an explicit flag beats YAML, whatever the spelling, and the rest of YAML stays", async () => {
    const config = await resolveYaml(
      "backbone: {num_process: 4}\ntask: {lang: de, n: 1, retries: 9, dry-run: true}",
      "--numProcess 8 --lang fr",
      options,
    );
    expect([
      config.backbone.options,
      config.task.task.lang,
      config.task.task.n,
      config.run.retries,
      config.run.dryRun,
    ]).toEqual([{ num_process: "8" }, "fr", 1, 9, true]);
  });
  test("the same for code", async () => {
    const dir = folder({ "base.yaml": "task: {lang: de, n: 1, retries: 9}\nbackbone: {num_process: 4}" });
    const config = await resolveCode(
      { cfg: "base.yaml", taskOptions: { lang: "fr" }, retries: 3 },
      { ...options, cwd: dir },
    );
    expect([
      config.task.task.lang,
      config.task.task.n,
      config.run.retries,
      config.backbone.options.num_process,
    ]).toEqual(["fr", 1, 3, "4"]);
  });
  test("keys of the Python tool without a meaning here are ignored with a note, unless a task or backbone declares them", async () => {
    const cfg = "backbone: {pin_memory: true, device: cuda}";
    const config = await resolveYaml(cfg, "", options);
    expect(config.notes).toEqual([
      expect.stringMatching(/pin_memory \(base\.yaml:1:12\)/),
      expect.stringMatching(/device/),
    ]);
    expect((await resolveYaml(cfg, "", taskOptions({ device: { type: "string" } }))).task.task.device).toBe("cuda");
  });
  const bad: [string, string, RegExp][] = [
    ["an unknown key", "task:\n  langg: de\n", /unknown-flag .*langg.*--lang, a flag of the task T.*base\.yaml:2:3/],
    ["an unknown section", "taks: {lang: de}", /config-file .*"taks".*Did you mean "task".*base\.yaml:1:1/],
    ["a section that is no mapping", "task: 3", /task: must hold a mapping.*base\.yaml:1:7/],
    ["a flag only the command line has", "task: {cfg: other.yaml}", /only be given on the command line/],
    ["two spellings of one flag", "task: {dry_run: true, dryRun: true}", /two spellings/],
    ["a value of the wrong type", "task:\n  n: many\n", /bad-value \| n must be a whole number.*base\.yaml:2:6/],
    [
      "a mapping for a flag that takes a text of its own",
      "task: {sample: {percent: 1}}",
      /bad-value \| sample must be a number of items or a share/,
    ],
    ["a list for one value", "task: {n: [1, 2]}", /n must be a whole number/],
    ["a placeholder", "task: {lang: '???'}", /placeholder .*task\.lang.*--lang …/],
  ];
  test.each(bad)("%s is a mistake with its place", async (_, cfg, says) => {
    const mistakes = await mistakesOf(() => resolveYaml(cfg, "", options));
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(says);
  });
  test("a placeholder filled by a flag is none, and a section of one's own is fine where it is referred to", async () => {
    const config = await resolveYaml(
      "task: {lang: '???', label: '${names.a}'}\nnames: {a: x}",
      "--lang fr --label y",
      options,
    );
    expect(config.task.task).toMatchObject({ lang: "fr", label: "y" });
  });
  test("a task that reads raw words gets unknown keys as words, before those of the command line", async () => {
    const config = await resolveYaml(
      "task: {foo: 1, bar: [a, b], on: store_true, off: false, map: {a: 1}}",
      "--foo 2",
      { rawArgs: true },
    );
    expect(config.task.rawArgs).toEqual(["--foo", "1", "--bar", "a", "b", "--on", "--map", '{"a":1}', "--foo", "2"]);
  });
});

describe("code", () => {
  test("undefined counts as absent, everywhere", async () => {
    const said: CodeOptions = {
      retries: undefined,
      cfg: undefined,
      mixin: undefined,
      taskOptions: { lang: undefined },
      backboneOptions: undefined,
    };
    const config = await resolveCode(said, options);
    expect([config.run.retries, config.task.task.lang]).toEqual([2, "en"]);
  });
  test("mixin as an object or as texts", async () => {
    for (const mixin of [{ soft_shard: { shard_num: 3 } }, ["soft_shard.shard_num=3"]]) {
      expect((await resolveCode({ mixin }, { template: template() })).task.template).toMatchObject({
        softShard: { shardNum: 3 },
      });
    }
  });
  const bad: [string, CodeOptions, RegExp][] = [
    ["an unknown option", { retrys: 3 }, /no option "retrys".*Did you mean "retries"/],
    ["an unknown task option", { taskOptions: { langg: "x" } }, /langg.*--lang, a flag of T/],
    ["an unknown backbone option", { backboneOptions: { procs: 3 } }, /unknown flag procs/],
    ["a function", { taskOptions: { meta: () => 1 } }, /is a function/],
    ["a wrong type", { retries: "many" }, /retries must be a whole number/],
    ["a malformed share", { sample: { persent: 1 } }, /sample must be/],
    ["a cfg that is no text", { cfg: 3 as never }, /cfg must be a text/],
    ["a mixin that is neither", { mixin: 3 as never }, /mixin must be/],
    ["a mixin word without =", { mixin: ["a"] }, /key=value/],
  ];
  test.each(bad)("%s is a mistake", async (_, said, says) => {
    const mistakes = await mistakesOf(() => resolveCode(said, { ...options, template: template() }));
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(says);
  });
});

test("mistakes of all layers are told together", async () => {
  const mistakes = await mistakesOf(() =>
    resolveYaml("task: {n: x}\nmixin: {soft_shard: {nope: 1}}\nother: 1", "--limit y --zzz", options),
  );
  expect(mistakes.map((text) => text.split(" | ")[0]).sort()).toEqual([
    "bad-value",
    "bad-value",
    "config-file",
    "mixin",
    "unknown-flag",
  ]);
});

test("a required option that is not given, and a name that kagurazaka has taken, are mistakes", async () => {
  expect(
    await mistakesOf(() => resolveArgv("task.ts T", taskOptions({ must: { type: "string", required: true } }))),
  ).toEqual([expect.stringMatching(/must is required.*--must/)]);
  expect(await mistakesOf(() => resolveArgv("task.ts T", taskOptions({ dry_run: { type: "boolean" } })))).toEqual([
    expect.stringMatching(/"dry_run".*--dry-run is a flag of kagurazaka/),
  ]);
});

test("every value has an entry with its origin", async () => {
  const { entries } = await resolveYaml("task: {lang: de}", "--retries 5", options);
  const at = (path: string) => entries.find((entry) => entry.path === path);
  expect(at("task.lang")).toEqual({ path: "task.lang", value: "de", origin: { kind: "file", text: "base.yaml:1:14" } });
  expect(at("run.retries")).toEqual({ path: "run.retries", value: "5", origin: { kind: "flag", text: "--retries" } });
  expect(at("run.grace")).toEqual({ path: "run.grace", value: "30s", origin: { kind: "default", text: "default" } });
});

describe("before owners are known", () => {
  test("task, name, backbone and help are there", async () => {
    const cwd = folder({ "base.yaml": "backbone: {backbone: inline}" });
    expect(await peekConfig(inputFromArgv(["task.ts", "T", "--json", "--cfg", "base.yaml"]), { cwd })).toMatchObject({
      taskFile: "task.ts",
      exportName: "T",
      backbone: "inline",
      help: undefined,
      ui: { json: true, progress: "auto" },
    });
    expect(
      (await peekConfig(inputFromArgv(["task.ts", "T", "--cfg", "base.yaml", "--backbone", "mp"]), { cwd })).backbone,
    ).toBe("mp");
    expect((await peekConfig(inputFromArgv(["task.ts", "T"]))).backbone).toBe("auto");
  });
  test("a broken file stops a run, not a help page", async () => {
    const cwd = folder({ "base.yaml": "a: [" });
    expect(
      (await mistakesOf(() => peekConfig(inputFromArgv(["task.ts", "T", "--cfg", "base.yaml"]), { cwd })))[0],
    ).toMatch(/^config-file/);
    expect((await peekConfig(inputFromArgv(["task.ts", "T", "--cfg", "base.yaml", "-h"]), { cwd })).help).toBe("task");
  });
});

describe("help", () => {
  test("of the tool shows every flag with its default, -hb, -hk and examples", () => {
    const page = renderToolHelp({ commands: [], tasks: ["word-count"] });
    for (const name of Object.keys(toolOptions)) expect(page).toContain(`--${snakeName(name).replaceAll("_", "-")}`);
    expect(page).toMatch(/-hb, --help-backbone/);
    expect(page).toContain("Examples:");
    expect(page).toContain("--mixin hard_shard_mode.input_path=");
  });
  test("says of every setting of the run what happens without it", () => {
    for (const [name, spec] of Object.entries(runOptions)) {
      expect([name, spec.type === "boolean" || /Default: /.test(spec.help)]).toEqual([name, true]);
    }
  });
  test("of a backbone shows its flags", () => {
    const page = renderBackboneHelp({
      name: "mp",
      help: "Threads.",
      options: { num_process: { type: "string", placeholder: "N|50%|auto", default: "auto", help: "Workers." } },
    });
    expect(page).toContain("--num_process <N|50%|auto>");
    expect(page).toContain("Workers. (default: auto)");
  });
  test("of a task shows its options and its mixin keys with the values they have now", async () => {
    const input = inputFromArgv(["task.ts", "T", "-h", "--mixin", "soft_shard.shard_num=7"]);
    const mixin = await previewMixin(
      input,
      owners({
        template: template({
          hardShardMode: NoHardShard({ inputPath: placeholder, outputPath: "out" }),
          finishCheckMode: null,
        }),
      }),
    );
    const page = renderTaskHelp({
      name: "T",
      options: { nItems: { type: "integer", default: 3, help: "How many." } },
      mixin,
    });
    expect(page).toMatch(/--n-items <INTEGER>\s+How many\. \(default: 3\)/);
    expect(page).toMatch(/hard_shard_mode\.input_path\s+"\?\?\?"/);
    expect(page).toMatch(/soft_shard\.shard_num\s+7/);
    expect(page).toMatch(/finish_check_mode\s+null \(off\)/);
  });
});

describe("secrets", () => {
  const cases: [string, unknown, unknown][] = [
    ["task.api_key", "hunter2", "***"],
    ["task.hf_token", "hunter2", "***"],
    ["task.db.password", 1234, "***"],
    ["task.options", { apiKey: "hunter2", model: "m" }, { apiKey: "***", model: "m" }],
    ["task.secrets", ["a", "b"], ["***", "***"]],
    ["task.api_key", "${oc.env:KEY}", "${oc.env:KEY}"],
    ["task.api_key", "${oc.env:KEY,hunter2}", "${oc.env:KEY,***}"],
    ["task.other", "${oc.env:MY_TOKEN,hunter2}", "${oc.env:MY_TOKEN,***}"],
    ["task.api_key", "???", "???"],
    ["task.url", "redis://user:hunter2@host:1/0", "redis://user:***@host:1/0"],
    ["task.url", "redis://:hunter2@host", "redis://:***@host"],
    ["task.url", "https://host/a:b@c", "https://host/a:b@c"],
    ["task.header", ["Authorization:Bearer hunter2"], ["Authorization:***"]],
    ["task.header", ["X-Auth: hunter2", "x-auth-user:hunter2"], ["X-Auth: ***", "x-auth-user:***"]],
    ["task.header", ["X-Auth: ${oc.env:KEY}", "Accept: text/html"], ["X-Auth: ${oc.env:KEY}", "Accept: text/html"]],
    ["task.max_tokens", 512, 512],
    ["task.tokenizer", "bpe.json", "bpe.json"],
    ["mixin.input_mode.key_field", "id", "id"],
    ["run.keys", "keys.txt", "keys.txt"],
    ["task.lang", "en", "en"],
  ];
  test.each(cases)("%s = %j is shown as %j", (path, value, shown) => {
    expect(maskEntry({ path, value, origin: { kind: "flag", text: "" } }).value).toEqual(shown);
  });
  test("are masked in what is resolved", async () => {
    const config = await resolveArgv("task.ts T --api-key hunter2", taskOptions({ apiKey: { type: "string" } }));
    expect(config.task.task.apiKey).toBe("hunter2");
    expect(JSON.stringify(config.entries)).not.toContain("hunter2");
  });
  test("are masked where an option says that it is one, but for references", async () => {
    const specs = taskOptions({ door: { type: "strings", secret: true }, key2: { type: "string", secret: true } });
    const config = await resolveYaml("task: {door: [hunter2, '${oc.env:DOOR}']}", "--key2 hunter2", {
      ...specs,
      env: { DOOR: "hunter3" },
    });
    expect(config.task.task.door).toEqual(["hunter2", "hunter3"]);
    expect(config.entries.find(({ path }) => path === "task.door")?.value).toEqual(["***", "${oc.env:DOOR}"]);
    expect(JSON.stringify(config.entries)).not.toContain("hunter");
  });
});
