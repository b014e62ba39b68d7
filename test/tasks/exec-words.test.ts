import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RunPlan, TaskContext } from "../../src/index.js";
import { checkWords } from "../../tasks/exec/check-words.js";
import { commandId } from "../../tasks/exec/command-id.js";
import { findValue } from "../../tasks/exec/values.js";
import { fillWord, namesIn, parseWord } from "../../tasks/exec/words.js";

/** The words of a command of @exec: what is a placeholder, what it stands for, what is refused before a run. */
const upper = (name: string): string => `<${name}>`;

describe("a word", () => {
  test.each([
    ["{}", "<>"],
    ["a{stem}b{ext}c", "a<stem>b<ext>c"],
    ["{input.path}{output_meta.final_path}", "<input.path><output_meta.final_path>"],
    ["{.} {/} {//} {/.}", "<.> </> <//> </.>"],
    ["{url}?{größe}&{1}", "<url>?<größe>&<1>"],
    ["{{stem}} is {stem}, {{}} is {}", "{stem} is <stem>, {} is <>"],
    ["{print $1}", "{print $1}"],
    ['{"a": {"b": 1}}', '{"a": {"b": 1}}'],
    ["{a:{b:1}}", "{a:{b:1}}"],
    ["{{.Name}}", "{{.Name}}"],
    ["{1,2} { } {-n}", "{1,2} { } {-n}"],
    ["}{ {{ }} {", "}{ {{ }} {"],
    ["", ""],
  ])("%j becomes %j", (text, filled) => {
    expect(fillWord(parseWord(text), upper)).toBe(filled);
  });

  test("stays one word with the value as it is, whatever the value holds", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("", "{stem}", "$(reboot)", "a b", "-rf", "'\"\\\n"),
    );
    fc.assert(
      fc.property(hostile, fc.stringMatching(/^[a-z ]*$/), fc.stringMatching(/^[a-z ]*$/), (value, before, after) => {
        expect(fillWord(parseWord(`${before}{stem}${after}`), () => value)).toBe(before + value + after);
      }),
    );
  });

  test("without a name is what was typed, character for character", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("{", "}", " ", "a", ".", "$", "\n") }), (text) => {
        const word = parseWord(text);
        fc.pre(namesIn(word).length === 0 && !/\{\{[^{}]*\}\}/.test(text));
        expect(fillWord(word, upper)).toBe(text);
      }),
    );
  });
});

describe("a placeholder", () => {
  const ctx = { key: "sub/a b.tar.gz", attempt: 2, tmpDir: "/tmp/mine" } as TaskContext;
  const input = { path: "/in/sub/a b.tar.gz", relDir: "sub", fileName: "a b.tar.gz" };
  const output = { path: "/staging/a.x", finalPath: "/out/a.x", relDir: ".", fileName: "a.x" };
  const file = { input, output };

  test.each([
    ["", "/in/sub/a b.tar.gz"],
    ["input.path", "/in/sub/a b.tar.gz"],
    ["input.rel_dir", "sub"],
    ["input.relDir", "sub"],
    ["input.file_name", "a b.tar.gz"],
    ["stem", "a b.tar"],
    ["ext", ".gz"],
    [".", "/in/sub/a b.tar"],
    ["/", "a b.tar.gz"],
    ["//", "/in/sub"],
    ["/.", "a b.tar"],
    ["output.path", "/staging/a.x"],
    ["output.final_path", "/out/a.x"],
    ["key", "sub/a b.tar.gz"],
    ["attempt", "2"],
    ["tmp", "/tmp/mine"],
  ])("{%s} of a file is %j", (name, value) => expect(findValue(name, file, ctx)).toBe(value));

  test.each([
    ["", "https://x/"],
    ["line", "https://x/"],
    ["empty", ""],
    ["n", "0"],
    ["yes", "false"],
    ["key", "the column"],
    ["stem", "a column too"],
    ["user.name", "whole"],
    ["deep.er", "d"],
    ["1", "first"],
  ])("{%s} of a record is %j", (name, value) => {
    const record = {
      line: "https://x/",
      empty: "",
      n: 0,
      yes: false,
      key: "the column",
      stem: "a column too",
      "user.name": "whole",
      deep: { er: "d" },
      1: "first",
    };
    expect(findValue(name, record, ctx)).toBe(value);
  });

  test.each([
    ["nme", { name: "x", url: "y" }, /^\{nme\} is nothing in this item, which has \{name\}, \{url\}$/],
    ["toString", {}, /^\{toString\} is nothing in this item, which has no fields$/],
    ["name.length", { name: "x" }, /is nothing/],
    ["none", { none: null }, /\{none\} is null/],
    [
      "input",
      file,
      /\{input\} is no text but a list or an object in this item, which has \{input.path\}, \{output.path\}/,
    ],
    ["", { url: "x" }, /\{\} is a file's path or a line's text, and this item is neither; it has \{url\}/],
  ])("{%s} of %j is no text, which no further try would change", (name, item, says) => {
    const find = (): string => findValue(name, item, ctx);
    expect(find).toThrow(says);
    expect(find).toThrow(expect.objectContaining({ name: "PermanentError" }));
  });
});

describe("before a run", () => {
  const rest = { outputRoot: null, side: "coordinator", note: () => {} } as const;
  const files: RunPlan = { inputMode: { name: "InputByGlob", yields: "file" }, outputs: [], ...rest };
  const out: RunPlan = { ...files, outputs: [{ field: "output", type: "file" }] };
  const lines: RunPlan = { inputMode: { name: "InputByLines", yields: "record" }, outputs: [], ...rest };
  const records: RunPlan = { inputMode: { name: "InputFromWhateverJsonl", yields: "record" }, outputs: [], ...rest };
  const check = (plan: RunPlan, ...words: string[]) => checkWords(words.map(parseWord), plan);

  test.each([
    [
      "an unknown name for files",
      files,
      ["{inptu.path}"],
      /no placeholder \{inptu\.path\}\. Did you mean "input\.path"/,
    ],
    ["a field for files", files, ["{line}"], /no placeholder \{line\}/],
    ["an unknown name for lines", lines, ["{lnie}"], /no placeholder \{lnie\}\. Did you mean "line"/],
    [
      "a line where lines are paths",
      { ...files, inputMode: { name: "InputByLines", yields: "file" } } as RunPlan,
      ["{line}"],
      /\{line\}: these lines are paths of files/,
    ],
    ["a file's name for lines", lines, ["{stem}"], /no placeholder \{stem\}/],
    ["an output without a place", files, ["a{output.path}"], /\{output\.path\} needs an output directory/],
    ["an output of records without a place", records, ["{output_meta.path}"], /needs an output directory/],
    ["an output there is not", out, ["{output.pth}"], /no placeholder \{output\.pth\}\. Did you mean "output\.path"/],
    [
      "a sign for records",
      records,
      ["{/}"],
      /\{\/\} is about a file or a line of text, and the items of InputFromWhateverJsonl are records/,
    ],
    ["numbers of jobs", files, ["{#}"], /\{#\}: items are named, not numbered/],
    ["numbers of slots", files, ["{%}"], /\{%\}: slots have no numbers/],
    ["a script with a name in it", files, ["sh", "-c", "wc {}"], /\{\} stands inside the script of sh -c/],
    [
      "the same by another way",
      files,
      ["env", "X=1", "/bin/bash", "-eu", "-c", "x {stem}"],
      /inside the script of bash -c/,
    ],
    ["a script behind --", files, ["sh", "-c", "--", "echo {}"], /inside the script of sh -c/],
    ["a script behind more flags", files, ["bash", "-c", "-o", "pipefail", "-e", "echo {}"], /script of bash -c/],
    ["a script of Perl", files, ["perl", "-I", "lib", "-ne", "print '{}'"], /script of perl -ne.*\n?.*/],
    ["a script stuck to its flag", files, ["perl", "-eprint '{}'"], /script of perl -e/],
    ["the second script of Ruby", files, ["ruby", "-e", "x = 1", "-e", "puts '{}'"], /script of ruby -e/],
    ["a script of Python", files, ["nice", "python3.11", "-uc", "open('{}')"], /script of python3\.11 -uc/],
    ["a script of Node", files, ["/usr/bin/node", "--require", "./x.cjs", "--eval=f('{}')"], /script of node --eval/],
    ["a script of awk", files, ["awk", "-F", ":", '{print "{}" $1}'], /script of awk, where/],
    ["a script of gawk behind --", files, ["gawk", "--", "/{stem}/"], /script of gawk, where/],
    ["what Node is to print", files, ["node", "-p", "'{}'"], /script of node -p/],
  ] as const)("%s is refused", (_, plan, words, says) => {
    expect(() => check(plan, ...words)).toThrow(says);
  });

  test.each([
    ["columns of records", records, ["{url}", "{output_size}", "{key}"]],
    ["lines", lines, ["{}", "{line}", "{.}", "{tmp}"]],
    ["outputs", out, ["{output.path}", "{output.final_path}", "{output.rel_dir}"]],
    [
      "further fields of listed files",
      { ...files, inputMode: { name: "InputFromFileTripletJsonl", yields: "file" } } as RunPlan,
      ["{label}", "{input_mask.path}"],
    ],
    ["a script whose words stand behind it", files, ["sh", "-c", 'wc "$1"; echo {{}}', "sh", "{}"]],
    ["a shell's words behind --", files, ["bash", "-c", "--", 'wc "$1"', "bash", "{}"]],
    ["the flags of a program that Python runs", files, ["python", "-W", "ignore", "train.py", "-c", "{}"]],
    ["the flags of a script file", files, ["sh", "run.sh", "-c", "{}"]],
    ["words behind a script of Python", files, ["python3", "-c", "import sys; print(sys.argv[1])", "{}", "-e", "{}"]],
    ["a flag that holds no script", files, ["perl", "-I{stem}", "x.pl", "-e", "{}"]],
    ["words behind a script of awk", files, ["awk", "-v", "a={stem}", "{print $1}", "{}"]],
    ["a script of awk in a file", files, ["awk", "-f", "x.awk", "{}"]],
    ["a program that is no shell", files, ["grep", "-c", "{stem}"]],
  ] as const)("%s are fine", (_, plan, words) => expect(() => check(plan, ...words)).not.toThrow());
});

describe("a command's name in ledgers", () => {
  const idOf = (rawArgs: string[], hardShardMode: Record<string, unknown>, task: Record<string, unknown> = {}) =>
    commandId({
      rawArgs,
      task,
      template: { hardShardMode: { use: "NoHardShard", outputPath: null, ...hardShardMode } },
    });

  test("is one where outputs tell what is finished, else one for each command and input directory", () => {
    expect(idOf(["gzip", "-c", "{}"], { inputPath: "in", outputPath: "out" })).toBe("exec");
    const ids = [
      idOf(["wc", "{}"], { inputPath: "in" }),
      idOf(["wc", "-l", "{}"], { inputPath: "in" }),
      idOf(["wc", "{}"], { inputPath: "in2" }),
      idOf(["wc", "{}"], { inputPath: "in" }, { cwd: "/" }),
    ];
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^exec-wc-[\da-f]{8}$/);
    expect(idOf(["wc", "{}"], { inputPath: "./in/" })).toBe(ids[0]);
    expect(idOf(["/opt/my tools/größe", "{}"], { inputPath: "in" })).toMatch(/^exec-gr__e-[\da-f]{8}$/);
  });
});
