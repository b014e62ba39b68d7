import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Row } from "../../../src/data/batch/batch.js";
import { type BadRow, UnwritableRow } from "../../../src/data/formats/format.js";
import { formatOptions } from "../../../src/data/formats/options.js";
import { loadFormat } from "../../../src/data/formats/registry.js";
import { WholeTextReader } from "../../../src/data/formats/text/whole-text-reader.js";
import { createDirectory } from "../tree.js";
import { MemoryFile, readText } from "./memory-file.js";

const by = (name: string) => ({ format: "txt", options: { by: name } });

/** What is in the file, and the rows that were refused. */
async function written(texts: readonly string[], options: Record<string, unknown>) {
  const { create, ...format } = await loadFormat("txt");
  const path = join(createDirectory(), "a.txt");
  const refused: [string, string][] = [];
  const kept: string[] = [];
  await using writer = await create({
    path,
    features: undefined,
    compression: "none",
    options: formatOptions(format.options, options) as never,
  });
  for (const text of texts) {
    try {
      await writer.writeRows([{ text }]);
      kept.push(text);
    } catch (error) {
      if (!(error instanceof UnwritableRow)) throw error;
      refused.push([text, error.message]);
    }
  }
  await writer.finish();
  return { bytes: readFileSync(path), kept, refused };
}

describe("rows that would not be read back are refused", () => {
  test.each([
    ["line", "a\nb", /line break/],
    ["line", "a\r", /line break/],
    ["line", "a\0b", /NUL/],
    ["paragraph", "", /blank/],
    ["paragraph", " \n\t", /blank/],
    ["paragraph", "a\n\nb", /blank line/],
    ["paragraph", "\na", /begins or ends/],
    ["paragraph", "a\n ", /begins or ends/],
    ["paragraph", "a\r", /begins or ends/],
    ["paragraph", "a\r\nb", /CR LF/],
    ["document", "second", /holds one row, and has one already/],
  ])("by %s: %j", async (name, text, says) => {
    const { kept, refused } = await written(["first", text], { by: name });
    expect(kept).toEqual(["first"]);
    expect(refused).toEqual([[text, expect.stringMatching(says)]]);
  });

  test("an empty document, and a byte order mark that would be taken for that of the file", async () => {
    expect((await written([""], { by: "document" })).refused).toEqual([["", expect.stringMatching(/empty/)]]);
    for (const name of ["line", "paragraph", "document"])
      expect((await written(["\ufeffa"], { by: name })).refused).toEqual([
        ["\ufeffa", expect.stringMatching(/byte order mark/)],
      ]);
  });

  test.each(["line", "paragraph", "document"])("by %s: all others come back", async (name) => {
    const text = fc.string({ unit: fc.constantFrom("a", "ä", " ", "\t", "\n", "\r", "\ufeff", "\0"), maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), async (texts, chunkBytes) => {
        const { bytes, kept } = await written(texts, { by: name });
        expect((await readText(bytes, { ...by(name), chunkBytes })).map((row) => row.text)).toEqual(kept);
      }),
      { numRuns: 150 },
    );
  });
});

describe("a place in paragraphs and documents", () => {
  const damaged = (text: string): Buffer => Buffer.from(text.replaceAll("#", "\xff"), "latin1");

  test.each([
    ["paragraph", "\n\n\na\n\nb\nc#\n\nd\n", ["a", "d"], "memory:7: not valid UTF-8 at byte 2 of the line"],
    ["paragraph", "a\n \n\n\nb\0\n", ["a"], "memory:5: a NUL byte, which no text has"],
    ["document", "a\n\nbc#", [], "memory:3: not valid UTF-8 at byte 3 of the line"],
  ])("by %s: %j", async (name, text, rows, message) => {
    for (const chunkBytes of [1, 3, 1000]) {
      const given = { ...by(name), chunkBytes };
      await expect(readText(damaged(text), given)).rejects.toMatchObject({ message });
      expect((await readText(damaged(text), given, { onBadRow: () => {} })).map((row) => row.text)).toEqual(rows);
    }
  });

  test("a paragraph that is too long is set aside, and those behind it are read", async () => {
    const long = `${"x".repeat(9)}\n`.repeat(100);
    for (const chunkBytes of [1, 7, 64, 5000]) {
      const file = new MemoryFile(`a\n\n${long} \nb\n\nc\0\n`, chunkBytes);
      const options = { file, packing: "none", formatName: "text", features: undefined } as const;
      await using reader = new WholeTextReader(options, "paragraph", "text", 500);
      const bad: BadRow[] = [];
      const rows: Row[] = [];
      for await (const block of reader.rows({ onBadRow: (one) => bad.push(one) })) rows.push(...block.rows);
      expect(rows.map((row) => row.text)).toEqual(["a", "b"]);
      expect(bad.map(({ position, what }) => [position, what])).toEqual([
        [3, "it is longer than 64 MB"],
        [106, "a NUL byte, which no text has"],
      ]);
    }
  });
});
