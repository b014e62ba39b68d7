import { stripVTControlCharacters } from "node:util";
import { afterEach, expect, test, vi } from "vitest";
import { messages } from "../../src/cli/message-out.js";
import { printRows } from "../../src/cli/print-rows.js";
import { formatRows } from "../../src/cli/records.js";
import type { Row } from "../../src/data/batch/batch.js";

afterEach(() => {
  vi.restoreAllMocks();
});

async function printed(rows: readonly Row[]): Promise<{ rows: unknown; notes: string }> {
  let [out, notes] = ["", ""];
  const keep = (add: (text: string) => void) => (chunk: string | Uint8Array) => {
    add(String(chunk));
    return true;
  };
  vi.spyOn(process.stdout, "write").mockImplementation(keep((text) => (out += text)));
  vi.spyOn(messages, "write").mockImplementation(keep((text) => (notes += text)));
  await printRows(rows, undefined, true);
  return { rows: (JSON.parse(out) as { rows: unknown }).rows, notes };
}

test("a number that JSON has not changes nothing else, and it is said", async () => {
  const rows = [
    { id: 1, u: 1.5, l: [1, 2] },
    {
      id: 2,
      u: Number.NaN,
      l: Float64Array.of(3, Number.NEGATIVE_INFINITY),
      bytes: Uint8Array.of(1, 2),
      s: { x: [2] },
    },
    { id: 3, u: Number.NaN, l: [], when: new Date(0) },
  ];
  const found = await printed(rows);
  expect(found.rows).toEqual([
    { id: 1, u: 1.5, l: [1, 2] },
    { id: 2, u: null, l: [3, null], bytes: "AQI=", s: { x: [2] } },
    { id: 3, u: null, l: [], when: "1970-01-01T00:00:00.000Z" },
  ]);
  expect(stripVTControlCharacters(found.notes).split("\n")).toEqual([
    "note column u: NaN is printed as null, as 1 more is, because JSON cannot represent it",
    "note column l: -Infinity is printed as null, because JSON cannot represent it",
    "",
  ]);
});

test("a value without any JSON is text, and its row is as it was", async () => {
  const found = await printed([{ a: 1, m: new Map([["k", 1]]), big: 2n }]);
  expect(found.rows).toEqual([{ a: 1, m: "[object Map]", big: 2 }]);
  expect(found.notes).toContain("column m: a value is printed as text");
});

test("a column may be named as what every object has", () => {
  const table = stripVTControlCharacters(
    formatRows([{ id: 1 }, { id: 2, constructor: "x" }], ["id", "constructor"], 80),
  );
  expect(
    table
      .trimEnd()
      .split("\n")
      .slice(2)
      .map((line) => line.trimEnd()),
  ).toEqual(["1   null", "2   x"]);
});
