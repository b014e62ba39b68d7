import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Row } from "../../../src/data/batch/batch.js";
import { type Features, features, Json, Nullable } from "../../../src/data/features/feature.js";
import { type BadRow, UnwritableRow } from "../../../src/data/formats/format.js";
import { formatOptions } from "../../../src/data/formats/options.js";
import { loadFormat } from "../../../src/data/formats/registry.js";
import { openText, readText } from "./memory-file.js";

const csv = { format: "csv" };

async function written(
  rows: readonly Row[],
  columns: Features,
  options: Record<string, unknown> = {},
): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "csv-"));
  try {
    const path = join(dir, "x.csv");
    const { create, options: specs } = await loadFormat("csv");
    const request = { path, features: columns, compression: "none", options: formatOptions(specs, options) };
    await using writer = await create!(request as never);
    await writer.writeRows(rows);
    await writer.finish();
    return readFileSync(path, "utf8");
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe("null and the empty text", () => {
  const columns = features({ a: Nullable("string"), b: Nullable("int32"), c: "string", d: Nullable("string") });

  test("null is an empty field, the empty text is quoted", async () => {
    const rows = [
      { a: "", b: 1, c: "", d: "" },
      { a: null, b: null, c: "x", d: null },
    ];
    const text = await written(rows, columns);
    expect(text).toBe('a,b,c,d\n"",1,"",""\n,,x,\n');
    expect(await readText(text, { ...csv, features: columns })).toEqual(rows);
  });

  test("in a column of another type, a quoted empty field is null too; where null is not allowed, an empty one is a text", async () => {
    expect(await readText('a,b,c,d\n"","",,\n', { ...csv, features: columns })).toEqual([
      { a: "", b: null, c: "", d: null },
    ]);
    expect(await readText('a,b\n"",""\n,1\n', csv)).toEqual([
      { a: null, b: null },
      { a: null, b: 1 },
    ]);
  });

  test("in the only column null is quoted, because an empty line is not a row, and the empty text is refused", async () => {
    for (const [feature, value] of [
      [Nullable("string"), "x"],
      [Nullable("int8"), 5],
      [Nullable(Json()), { a: 1 }],
    ] as const) {
      const only = features({ a: feature });
      const rows = [{ a: null }, { a: value }, { a: null }];
      const text = await written(rows, only);
      expect(text).toMatch(/^a\n""\n.*\n""\n$/);
      expect(await readText(text, { ...csv, features: only })).toEqual(rows);
    }
    const refused = written([{ a: "x" }, { a: "" }], features({ a: Nullable("string") }));
    await expect(refused).rejects.toThrow(UnwritableRow);
    await expect(refused).rejects.toMatchObject({
      index: 1,
      message: expect.stringMatching(/an empty text cannot be told from null in column a/),
    });
    const never = features({ a: "string" });
    expect(await readText(await written([{ a: "" }], never), { ...csv, features: never })).toEqual([{ a: "" }]);
  });

  test("without quotes, what cannot be told is refused", async () => {
    const bare = { quote: null };
    const two = features({ a: Nullable("string"), b: "string" });
    await expect(written([{ a: "", b: "x" }], two, bare)).rejects.toThrow(/an empty text cannot be told from null/);
    await expect(written([{ a: null }], features({ a: Nullable("int8") }), bare)).rejects.toThrow(
      /an empty line is not a row/,
    );
    const text = await written([{ a: null, b: "" }], two, bare);
    expect(await readText(text, { ...csv, features: two, options: bare })).toEqual([{ a: null, b: "" }]);
  });

  test("texts and nulls come back in any dialect, from any slices, in chunks of any size", async () => {
    const texts = fc.oneof(
      fc.constantFrom(null, "", "null", '"', "'", '""', "\n", "\r\n", "\ufeff", ",", ";"),
      fc.string({ unit: "grapheme", maxLength: 6 }).map((text) => text.replaceAll("\0", "")),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ a: texts, b: texts, c: texts }), { maxLength: 12 }),
        fc.record({ delimiter: fc.constantFrom(",", ";", "|"), quote: fc.constantFrom('"', "'") }),
        fc.integer({ min: 1, max: 40 }),
        async (rows, options, bytes) => {
          const three = features({ a: Nullable("string"), b: Nullable("string"), c: Nullable("string") });
          const text = await written(rows, three, options);
          await using reader = await openText(text, { ...csv, options, features: three, chunkBytes: 1 + (bytes % 7) });
          const read: Row[] = [];
          for (const { from, to } of await reader.slices({ bytes }))
            for await (const block of reader.rows!({ from, to })) read.push(...block.rows);
          expect(read).toEqual(rows);
        },
      ),
      { numRuns: 100 },
    );
  });
});

test("integers of any size", async () => {
  const texts = ["0", "-0", "+7", "-999999999999999", "9007199254740992", "9007199254740993", "-9223372036854775808"];
  const rows = await readText(`n\n${texts.join("\n")}\n`, { ...csv, features: features({ n: "int64" }) });
  const numbers = [0, 0, 7, -999999999999999, 9007199254740992n, 9007199254740993n, -9223372036854775808n];
  expect(rows.map(({ n }) => n)).toEqual(numbers);
});

describe("lines that are not UTF-8", () => {
  async function read(text: string): Promise<{ rows: Row[]; bad: string[] }> {
    const bad: string[] = [];
    const onBadRow = ({ position, what }: BadRow): unknown => bad.push(`${position} ${what}`);
    const bytes = Buffer.from(text, "latin1");
    return { rows: await readText(bytes, { ...csv, options: { names: "a,b" } }, { onBadRow }), bad };
  }

  test("cost their row, and the lines of the rows behind them are right", async () =>
    expect(await read("a,b\n1,2\n\xff,3\n4\n5,6\n\n\xff\n7\n")).toEqual({
      rows: [
        { a: 1, b: 2 },
        { a: 5, b: 6 },
      ],
      bad: [
        "3 not valid UTF-8 at byte 1 of the line",
        "4 the row has 1 field, not 2",
        "7 not valid UTF-8 at byte 1 of the line",
        "8 the row has 1 field, not 2",
      ],
    }));

  test("in quotes cost the whole row", async () =>
    expect(await read('a,b\n1,"x\n\xff\ny"\n3,4\n')).toEqual({
      rows: [{ a: 3, b: 4 }],
      bad: ["3 not valid UTF-8 at byte 1 of the line"],
    }));

  test("as a header cost no row", async () => expect((await read("\xff,b\n1,2\n")).rows).toEqual([{ a: 1, b: 2 }]));
});

test("a text that begins a slice keeps its byte order mark", async () => {
  const text = "x\n\ufeffa\n";
  expect(await readText(text, csv, { from: 2, to: Buffer.byteLength(text) })).toEqual([{ x: "\ufeffa" }]);
});

test.each([
  [{ delimiter: "\n" }, /delimiter must be one character, not "\\n"/],
  [{ delimiter: '"' }, /delimiter and quote are both "\\""/],
  [{ quote: "" }, /quote must be one character of ASCII/],
])("%j is refused", async (options, says) => {
  await expect(readText("a,b\n", { ...csv, options })).rejects.toMatchObject({
    code: "bad-value",
    message: expect.stringMatching(says),
  });
});
