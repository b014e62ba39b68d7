import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { testInputMode, testOutputMode } from "../../src/testing.js";
import * as templates from "../../templates/index.js";

const files = ["a.txt", "sub/b.txt", "sub/ünï.txt", "sub/deep/c d.txt", "sub.d/e.txt"];
const breadthFirst = ["a.txt", "sub/b.txt", "sub/ünï.txt", "sub.d/e.txt", "sub/deep/c d.txt"];
const triplet = (root: string, rel_dir: string, file_name: string) => ({
  input: { path: join(root, rel_dir, file_name), rel_dir, file_name },
});
const jsonl = (...lines: unknown[]): string => lines.map((line) => JSON.stringify(line)).join("\n");

describe("input modes", () => {
  testInputMode(templates.InputByExts, { it, fields: () => ({ exts: [".txt"] }), expected: files });
  testInputMode(templates.InputByGlob, { it, fields: () => ({ globPattern: "**/*.txt" }), expected: breadthFirst });
  testInputMode(templates.InputBySubDirectory, {
    it,
    fields: () => ({ subDirectoryLevel: 1 }),
    expected: ["sub", "sub.d"],
  });
  testInputMode(templates.InputFromFileTripletJsonl, {
    it,
    files: { "list.jsonl": jsonl(triplet("/data", ".", "b.txt"), triplet("/data", "sub", "a.txt")) },
    fields: (dir) => ({ jsonlPath: join(dir, "list.jsonl") }),
    expected: ["b.txt", "sub/a.txt"],
  });
  testInputMode(templates.InputFromWhateverJsonl, {
    it,
    files: { "list.jsonl": jsonl({ id: 1 }, { id: 2, deep: [{}] }, {}) },
    fields: (dir) => ({ jsonlPath: join(dir, "list.jsonl") }),
    expected: [{ id: 1 }, { id: 2, deep: [{}] }, {}],
  });
  testInputMode(templates.InputByLines, {
    it,
    files: { "list.txt": "b.txt\nsub//a.txt\n\n./sub/./d/é.txt\r\n" },
    fields: (dir) => ({ linesPath: join(dir, "list.txt") }),
    expected: ["b.txt", "sub/a.txt", "sub/d/é.txt"],
  });
  testInputMode(templates.InputByLines, {
    it,
    files: { "list.txt": "one\n\n two \r\n" },
    fields: (dir) => ({ linesPath: join(dir, "list.txt"), as: "text" }),
    expected: [{ line: "one" }, { line: " two " }],
  });
  testInputMode(templates.InputFromCsv, {
    it,
    files: { "table.csv": 'id,text\r\n1,"a, ""b"""\r\n02,"two\nlines"' },
    fields: (dir) => ({ csvPath: join(dir, "table.csv"), keyField: "id" }),
    expected: [
      { id: "1", text: 'a, "b"' },
      { id: "02", text: "two\nlines" },
    ],
  });
  testInputMode(templates.InputFromCsv, {
    it,
    files: { "table.tsv": "1\ta,b\n" },
    fields: (dir) => ({ csvPath: join(dir, "table.tsv"), header: ["id", "text"] }),
    expected: [{ id: "1", text: "a,b" }],
  });
  testInputMode(templates.InputByGroups, {
    it,
    files: {
      "b.txt": "",
      "b.png": "",
      "a.v1.jpg": "",
      "a.v1.txt": "",
      "alone.jpg": "",
      "sub/b.txt": "",
      "sub/b.jpg": "",
      "left/c.txt": "",
      "left/c.jpg": "",
      ".jpg": "",
      ".txt": "",
    },
    fields: () => ({ filesToJoin: { image: [".jpg", ".png"], caption: ".txt" } }),
    expected: ["a.v1", "b", "sub/b"],
  });
});

describe("output modes", () => {
  testOutputMode(templates.OutputByApendingExt, {
    it,
    fields: { ext: ".json" },
    expected: { output: "sub/a.txt.json" },
  });
  it("OutputByAppendingExt is the same under its right spelling", () =>
    expect(templates.OutputByAppendingExt).toBe(templates.OutputByApendingExt));
  testOutputMode(templates.OutputByReplacingExt, { it, fields: { ext: ".json" }, expected: { output: "sub/a.json" } });
  testOutputMode(templates.OutputByTemplate, {
    it,
    fields: { pattern: "{rel_dir}/{stem}-{key}{ext}.x" },
    expected: { output: "sub/a-sub/a.txt.txt.x" },
  });
  testOutputMode(templates.OutputByFilenameSubfoldering, {
    it,
    fields: { fileToWrite: { text: "t.txt", raw_meta: "m.json" } },
    expected: { output: "sub/a.txt", output_text: "sub/a.txt/t.txt", output_raw_meta: "sub/a.txt/m.json" },
  });
});
