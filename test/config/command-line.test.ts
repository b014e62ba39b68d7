import { describe, expect, test } from "vitest";
import { parseCommandLine } from "../../src/config/command-line.js";
import { mistakesOf, resolveArgv } from "./helpers.js";

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
  test("--version", () => expect(parseCommandLine(["--version"]).version).toBe(true));
});

test.each(["explain", "init", "export-inputs"])("the first word %s is a command and keeps its words", (command) => {
  expect(parseCommandLine([command, "KEY", "--json"])).toMatchObject({ command, rest: ["KEY", "--json"] });
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
    ["task.ts T --zzzzzz", /See -h/],
    ["task.ts T -x", /nobody declares -x/],
    ["task.ts T --__proto__=1", /nobody declares --__proto__/],
    ["task.ts T --constructor 1", /nobody declares --constructor/],
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
    ).toEqual(['"more" belongs to nothing.', '"words" belongs to nothing.', "--lang needs a value"]);
  });
});

describe("raw words", () => {
  test("words after -- are the task's", async () => {
    expect((await resolveArgv("task.ts T --limit 1 -- --x y")).task.rawArgs).toEqual(["--x", "y"]);
  });
  test("a task that reads raw words gets what nobody declares, in order", async () => {
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
