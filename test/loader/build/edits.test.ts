import { SourceMap } from "node:module";
import { expect, test } from "vitest";
import { applyEdits, readOriginals } from "../../../src/loader/build/edits.js";

const map = {
  sources: ["a.ts"],
  sourcesContent: ["let first = 1;\nlet second = 2;"],
  mappings: "AAAA,IAAI,QAAQ;;EACZ,IAAI,SAAS",
};
const code = "var first = 1;\n\n  var second = 2;";
const columns = (mappings: string) => {
  const found = new SourceMap({ version: 3, names: [], sourceRoot: "", file: "", ...map, mappings } as never);
  return (line: number, column: number) => {
    const entry = found.findEntry(line, column);
    return "originalSource" in entry ? [entry.generatedColumn, entry.originalLine, entry.originalColumn] : undefined;
  };
};

test("code that is changed keeps its lines, and each place its origin", () => {
  const at = columns(map.mappings);
  expect([at(0, 4), at(0, 12), at(2, 6)]).toEqual([
    [4, 0, 4],
    [12, 0, 12],
    [6, 1, 4],
  ]);
  const edits = [
    { at: code.indexOf("second"), length: "second".length, text: "it" },
    { at: 0, length: 3, text: "const" },
    { at: 4, length: 0, text: "the" },
  ];
  const changed = applyEdits(code, map.mappings, edits);
  expect(changed.code).toBe("const thefirst = 1;\n\n  var it = 2;");
  const after = columns(changed.mappings);
  expect([after(0, 0), after(0, 6), after(0, 17)]).toEqual([
    [0, 0, 0],
    [6, 0, 4],
    [17, 0, 12],
  ]);
  expect([after(2, 2), after(2, 6), after(2, 11)]).toEqual([
    [2, 1, 0],
    [6, 1, 4],
    [11, 1, 13],
  ]);
});

test("columns far to the right, and back", () => {
  const text = "x".repeat(5000);
  const changed = applyEdits(`a${text}`, "AAAA,izJAAizJ", [{ at: 0, length: 1, text }]);
  expect(changed.mappings).toMatch(/^AAAA,(?!izJ)/);
  const back = applyEdits(changed.code, changed.mappings, [{ at: 0, length: 5000, text: "a" }]);
  expect(back.mappings).toBe("AAAA,izJAAizJ");
});

test("the text of the source that a place comes from; none for a place between two", () => {
  const originalAt = readOriginals(code, map);
  expect(originalAt(code.indexOf("second"))).toEqual({ before: "let ", after: "second = 2;" });
  expect(originalAt(code.indexOf("second") + 1)).toBeUndefined();
  expect(originalAt(code.indexOf("\n\n") + 1)).toBeUndefined();
});
