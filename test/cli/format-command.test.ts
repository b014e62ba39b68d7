import { describe, expect, test } from "vitest";
import { shownWords } from "../../src/cli/format-command.js";

const entry = (path: string, value: unknown, kind: "flag" | "file" = "flag") => ({
  path,
  value,
  origin: { kind, text: "" },
});

describe("a command to give next hides", () => {
  test.each<[string, string, string, ReturnType<typeof entry>[]]>([
    ["nothing of a run's own flags", "@a --keys k.txt -V", "@a --keys k.txt -V", [entry("run.keys", "k.txt")]],
    ["the word behind a flag", "--password abc t.ts T", "--password *** t.ts T", [entry("task.password", "***")]],
    ["what is behind =", "t.ts --my-key=abc", "t.ts --my-key=***", [entry("task.my_key", "***")]],
    ["each word of a list", "--header a b --n 1", "--header *** *** --n 1", [entry("task.header", ["***", "***"])]],
    ["nothing that a file says", "t.ts --header a", "t.ts --header a", [entry("task.header", "***", "file")]],
    ["parts of words", "--url https://b:abc@h?code=abc", "--url https://b:***@h?code=***", []],
    ["a field of a mixin", "--mixin m.myField=abc", "--mixin m.myField=***", [entry("mixin.m.my_field", "***")]],
    ["a mixin with such a field", "--mixin m={f:abc} n={f:1}", "--mixin m=*** n={f:1}", [entry("mixin.m.f", "***")]],
    ["what is behind --", "@exec -- x --token abc --pin=1", "@exec -- x --token *** --pin=***", []],
  ])("%s", (_what, typed, shown, entries) => expect(shownWords(typed.split(" "), entries).join(" ")).toBe(shown));
});
