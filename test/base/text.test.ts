import { expect, test } from "vitest";
import { escapeControls } from "../../src/base/text.js";

const range = (from: number, to: number): string =>
  String.fromCodePoint(...Array.from({ length: to - from + 1 }, (_, i) => from + i));

test("control characters are escaped", () => {
  expect(escapeControls("a\x00b\x1b[2J\x7f\x9f\r\n\tc")).toBe("a\\x00b\\x1b[2J\\x7f\\x9f\\x0d\\n\\tc");
  expect(escapeControls("a\x1b\r\n\tb", "newlines")).toBe("a\\x1b\\x0d\n\tb");
});

test("characters that reorder a line are escaped", () => {
  const bidi = range(0x202a, 0x202e) + range(0x2066, 0x2069);
  const escaped = "\\u202a\\u202b\\u202c\\u202d\\u202e\\u2066\\u2067\\u2068\\u2069";
  expect(escapeControls(bidi)).toBe(escaped);
  expect(escapeControls(bidi, "newlines")).toBe(escaped);
  expect(escapeControls("photo\u202egpj.exe")).toBe("photo\\u202egpj.exe");
});

test.each([
  "",
  "2022/raw/DSC 1.nef",
  "写真/日本語.jpg",
  "עברית/عربي.txt",
  "👩‍👩‍👧.png",
  "\u200e\u2029\u202f\u2065\u206a",
])("other text stays as it is: %j", (text) => {
  expect(escapeControls(text)).toBe(text);
  expect(escapeControls(text, "newlines")).toBe(text);
});
