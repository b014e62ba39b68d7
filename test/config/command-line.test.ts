import { describe, expect, test } from "vitest";
import { type CommandSyntax, parseCommandLine } from "../../src/config/command-line.js";
import { readCommandValues } from "../../src/config/flags.js";
import { inputFromArgv, inputFromLine, withSettings } from "../../src/config/raw-input.js";
import { peekConfig, resolveConfig } from "../../src/config/resolve.js";
import { mistakesOf, owners, resolveArgv } from "./helpers.js";

const words = (line: string): string[] => line.split(" ");

describe("task and name are found before their flags are known", () => {
  const lines: [string, string | undefined, string | undefined][] = [
    ["task.ts T", "task.ts", "T"],
    ["task.ts", "task.ts", undefined],
    ["task.ts T --lang en", "task.ts", "T"],
    ["--lang en task.ts T", "task.ts", "T"],
    ["--lang en task.ts", "task.ts", undefined],
    ["--verbose task.ts T", "task.ts", "T"],
    ["--retries 3 task.ts T", "task.ts", "T"],
    ["--limit 5 task.ts", "task.ts", undefined],
    ["--force task.ts T", "task.ts", "T"],
    ["--force new task.ts T", "task.ts", "T"],
    ["task.ts --limit 5 T", "task.ts", "T"],
    ["task.ts --lang en", "task.ts", undefined],
    ["--retries 2 task.ts T --lang en", "task.ts", "T"],
    ["--mixin a=1 b=2 task.ts T", "task.ts", "T"],
    ["@word-count", "@word-count", undefined],
    ["@word-count --lang en", "@word-count", undefined],
    ["--lang en @word-count", "@word-count", undefined],
    ["--only a b task.ts T", "task.ts", "T"],
    ["--in data/x dir/task T", "dir/task", "T"],
    ["task.ts T -- --raw word", "task.ts", "T"],
    ["-hk", undefined, undefined],
    ["--n -5 task.ts T", "task.ts", "T"],
  ];
  test.each(lines)("%s", (line, file, name) => {
    const parsed = parseCommandLine(words(line));
    expect([parsed.taskFile, parsed.exportName]).toEqual([file, name]);
  });
});

describe("help and version", () => {
  const lines: [string, string | undefined][] = [
    ["task.ts T -h", "task"],
    ["--help", "task"],
    ["-hb --backbone mp", "backbone"],
    ["--help-backbone", "backbone"],
    ["--help_kagurazaka", "kagurazaka"],
    ["-hk", "kagurazaka"],
    ["task.ts T", undefined],
    ["task.ts T -- --help", undefined],
  ];
  test.each(lines)("%s → %s", (line, help) => expect(parseCommandLine(words(line)).help).toBe(help));
  test.each(["--version", "-V"])("%s", (flag) => expect(parseCommandLine([flag]).version).toBe(true));
});

describe("a command's own words and flags", () => {
  const explain: CommandSyntax = { name: "explain", words: ["KEY"], options: {}, takes: "run" };
  const verify: CommandSyntax = {
    name: "verify",
    words: [],
    takes: "run",
    options: { deep: { type: "boolean", default: false }, keys: { type: "boolean" }, list: { type: "string" } },
  };
  const split: CommandSyntax = {
    name: "split",
    words: ["INPUT_DIR"],
    options: { into: { type: "string", required: true }, maxFiles: { type: "integer" }, exts: { type: "strings" } },
  };
  const lines: [CommandSyntax, string, readonly string[], string | undefined, string][] = [
    [explain, "KEY task.ts T --limit 1", ["KEY"], "task.ts", "task.ts T --limit 1"],
    [explain, "KEY --limit 1 task.ts T", ["KEY"], "task.ts", "--limit 1 task.ts T"],
    [explain, "--limit 1 KEY task.ts T", ["KEY"], "task.ts", "--limit 1 task.ts T"],
    [explain, "--lang en KEY @word-count", ["KEY"], "@word-count", "--lang en @word-count"],
    [explain, "KEY", ["KEY"], undefined, ""],
    [explain, "-- KEY", [], undefined, "-- KEY"],
    [verify, "task.ts T --deep --list=failed -- --deep", [], "task.ts", "task.ts T -- --deep"],
    [verify, "--list failed task.ts --no-deep T", [], "task.ts", "task.ts T"],
    [verify, "--keys task.ts T", [], "task.ts", "task.ts T"],
    [split, "in --into out", ["in"], undefined, ""],
    [split, "--into out --exts .a .b in", ["in"], undefined, ""],
    [split, "--into out -- -in", ["-in"], undefined, "--"],
  ];
  test.each(lines)("$0.name $1", (command, text, own, file, runWords) => {
    const { words: found, taskFile, runArgv } = parseCommandLine(words(text), command);
    expect([found, taskFile, runArgv.join(" ")]).toEqual([own, file, runWords]);
  });

  const read = (command: CommandSyntax, text: string) =>
    readCommandValues(parseCommandLine(text === "" ? [] : words(text), command), command);
  const mistakes = (command: CommandSyntax, text: string): string[] =>
    read(command, text).mistakes.map(({ message }) => message);

  test("may be spelled in any way", () => {
    for (const flag of ["--max-files 3", "--max_files=3", "--maxFiles 3"])
      expect(read(split, `in --into out --exts .a .b ${flag}`)).toEqual({
        values: { into: "out", maxFiles: 3, exts: [".a", ".b"] },
        mistakes: [],
        notes: [],
      });
  });
  test("are checked together", () => {
    expect(mistakes(split, "--max-files x --max-files y --shrads=3 --itno=out")).toEqual([
      "split needs INPUT_DIR",
      "--max-files is given twice: x and y",
      "unknown flag --shrads",
      "unknown flag --itno. Did you mean --into, a flag of split?",
      "into is required",
      'max_files must be a whole number, not "y"',
    ]);
    expect(mistakes(split, "in more --into out -- most")).toEqual([
      'unexpected argument "more"',
      'unexpected argument "most"',
    ]);
    expect(mistakes(explain, "")).toEqual(["explain needs KEY and a task"]);
    expect(mistakes(verify, "task.ts T --list")).toEqual(["--list needs a value"]);
    expect(mistakes(verify, "task.ts T --list a --unknown --list b")).toEqual(["--list is given twice: a and b"]);
  });
  test("are not looked for among flags of the run", async () => {
    const line = parseCommandLine(words("task.ts T --keys --limit 3 --list --retires 1"), verify);
    const { mistakes } = readCommandValues(line, verify);
    expect(await mistakesOf(() => resolveConfig(inputFromLine(line, mistakes), owners()))).toEqual([
      expect.stringContaining("--list needs a value"),
      expect.stringContaining("unknown flag --retires. Did you mean --retries, a flag of kagurazaka?"),
    ]);
    const good = parseCommandLine(words("task.ts T --keys --limit 3"), verify);
    expect((await resolveConfig(inputFromLine(good), owners())).run).toMatchObject({ keys: undefined, limit: 3 });
  });
});

test("settings forced by --debug-item win over flags and files", async () => {
  const input = inputFromArgv(words("task.ts T --retries 5 --force --backbone mp"));
  const forced = withSettings(input, { backbone: "inline", force: "new", retries: 0 }, "--debug-item");
  expect((await peekConfig(forced)).backbone).toBe("inline");
  const config = await resolveConfig(forced, owners());
  expect(config.run).toMatchObject({ force: "new", retries: 0 });
  expect(config.entries).toContainEqual(expect.objectContaining({ path: "run.retries", value: 0 }));
});

test("mixin groups are all kept, in order, and end at the first word that is no key=value", () => {
  expect(parseCommandLine(words("--mixin a=1 b=2 --mixin c=3 task.ts T --mixin=d=4")).mixin).toEqual([
    "a=1",
    "b=2",
    "c=3",
    "d=4",
  ]);
});

const lang = {
  taskOptions: {
    lang: { type: "string" },
    nItems: { type: "integer" },
    verbose: { type: "boolean" },
    exts: { type: "strings" },
    idx: { type: "integers" },
  },
} as const;

describe("flags of all owners, in any spelling", () => {
  const lines: [string, Record<string, unknown>][] = [
    ["task.ts T --n_items 3", { nItems: 3 }],
    ["task.ts T --n-items=3", { nItems: 3 }],
    ["task.ts T --nItems 3 --n-items 4", { nItems: 4 }],
    ["task.ts T --n-items -3", { nItems: -3 }],
    ["--verbose task.ts T", { verbose: true }],
    ["task.ts T --verbose=false", { verbose: false }],
    ["task.ts T --no-verbose", { verbose: false }],
    ["--exts .a .b task.ts T", { exts: [".a", ".b"] }],
    ["task.ts T --exts .a --exts .b", { exts: [".a", ".b"] }],
    ["task.ts T --idx 3", { idx: 3 }],
    ["task.ts T --idx 3 4", { idx: [3, 4] }],
  ];
  test.each(lines)("%s", async (line, task) => {
    expect((await resolveArgv(line, lang)).task.task).toMatchObject(task);
  });
  test("the tool's, the backbone's and the task's arrive at their owner", async () => {
    const config = await resolveArgv("task.ts T --dry_run --num-process 4 --lang en", lang);
    expect([config.run.dryRun, config.backbone.options, config.task.task.lang]).toEqual([
      true,
      { num_process: "4" },
      "en",
    ]);
  });
});

describe("unknown flags are mistakes that name the nearest and its owner", () => {
  const lines: [string, RegExp][] = [
    ["task.ts T --retrys 3", /--retries, a flag of kagurazaka/],
    ["task.ts T --num-proces 3", /--num_process, a flag of the backbone mp/],
    ["task.ts T --langg en", /--lang, a flag of the task T/],
    ["task.ts T --zzzzzz", /-h lists/],
    ["task.ts T -x", /unknown flag -x/],
    ["task.ts T --__proto__=1", /unknown flag --__proto__/],
    ["task.ts T --constructor 1", /unknown flag --constructor/],
  ];
  test.each(lines)("%s", async (line, says) => {
    const mistakes = await mistakesOf(() => resolveArgv(line, lang));
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(/^unknown-flag/);
    expect(mistakes[0]).toMatch(says);
  });
  test("a stray word and a flag without its value are usage mistakes", async () => {
    expect(
      (await mistakesOf(() => resolveArgv("task.ts T more words --lang", lang))).map((m) => m.split(" | ")[1]),
    ).toEqual(['unexpected argument "more"', 'unexpected argument "words"', "--lang needs a value"]);
  });
});

describe("raw words", () => {
  test("words after -- are the task's", async () => {
    expect((await resolveArgv("task.ts T --limit 1 -- --x y")).task.rawArgs).toEqual(["--x", "y"]);
  });
  test("a task that reads raw words gets unknown flags, in order", async () => {
    const config = await resolveArgv("task.ts T --x=1 y --limit 3 -z -- w", { rawArgs: true });
    expect([config.task.rawArgs, config.run.limit]).toEqual([["--x=1", "y", "-z", "w"], 3]);
  });
});

test("--force takes new and continue only", async () => {
  for (const [line, force] of [
    ["task.ts T", false],
    ["--force task.ts T", "continue"],
    ["task.ts T --force new", "new"],
    ["task.ts T --force=new", "new"],
  ] as const) {
    expect((await resolveArgv(line)).run.force).toBe(force);
  }
  expect(await mistakesOf(() => resolveArgv("task.ts T --force=newer"))).toHaveLength(1);
});
