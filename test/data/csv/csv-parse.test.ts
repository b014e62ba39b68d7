import { CsvError, Parser } from "csv-parse";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CsvRows } from "../../../src/data/csv/rows.js";

interface Dialect {
  readonly delimiter: string;
  readonly quote: string | null;
  readonly ragged: boolean;
}

interface Read {
  readonly rows: string[][];
  readonly error: string | undefined;
}

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function read(bytes: Buffer, dialect: Dialect, size: number): Read {
  const parser = new CsvRows({ ...dialect, empty: "" });
  const rows: string[][] = [];
  for (const piece of pieces(bytes, size)) rows.push(...parser.push(piece));
  rows.push(...parser.end());
  return { rows, error: /never closed|middle of a field|the row has/.exec(parser.failure?.what ?? "")?.[0] };
}

const errors: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "never closed",
  CSV_INVALID_CLOSING_QUOTE: "middle of a field",
  INVALID_OPENING_QUOTE: "middle of a field",
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: "the row has",
};

class Rows extends Parser {
  readonly rows: string[][] = [];

  override push(row: string[] | null): boolean {
    if (row === null) return super.push(null);
    this.rows.push(row);
    return true;
  }
}

async function readByCsvParse(bytes: Buffer, { delimiter, quote, ragged }: Dialect, size: number): Promise<Read> {
  const parser = new Rows({
    bom: true,
    delimiter,
    quote,
    escape: quote,
    skip_empty_lines: true,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: ragged,
  });
  let error: Error | undefined;
  parser.on("error", (thrown) => {
    error = thrown;
  });
  for (const piece of pieces(bytes, size))
    if (!error) await new Promise<void>((resolve) => parser.write(piece, () => resolve()));
  if (!error)
    await new Promise<void>((resolve) => {
      parser.once("close", resolve);
      parser.resume();
      parser.end();
    });
  return { rows: parser.rows, error: error && (error instanceof CsvError ? errors[error.code] : error.message) };
}

// Without NUL: behind a closing quote csv-parse takes it for the end of the text.
const letters = [
  "a",
  "b",
  "é",
  "😀",
  "\ufeff",
  ",",
  ",",
  "\t",
  ";",
  '"',
  '"',
  '""',
  "'",
  "\n",
  "\n",
  "\r",
  "\r\n",
  " ",
];
const soups = fc.oneof(
  fc.string({ unit: fc.constantFrom(...letters), maxLength: 40 }),
  // Mostly right, so that it is read for longer.
  fc
    .array(
      fc.constantFrom("a,b\n", '"a","b"\r\n', '"x\ny",\n', ',"""q"""\n', "\n", "c,d\r", '"",""\n', "e,f", 'a"', "1\n"),
    )
    .map((parts) => parts.join("")),
);

test("reads what csv-parse reads, and is wrong about the same row for the same reason", async () => {
  await fc.assert(
    fc.asyncProperty(
      soups,
      fc.record({
        delimiter: fc.constantFrom(",", "\t", ";"),
        quote: fc.constantFrom('"', '"', "'", null),
        ragged: fc.boolean(),
      }),
      fc.integer({ min: 1, max: 30 }),
      async (soup, dialect, size) => {
        const bytes = Buffer.from(soup);
        expect(read(bytes, dialect, size)).toEqual(await readByCsvParse(bytes, dialect, size));
      },
    ),
    { numRuns: 2000 },
  );
});

test("bytes that are not UTF-8 become U+FFFD, as there", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ min: 1, maxLength: 40 }), async (soup) => {
      const bytes = Buffer.from(soup);
      // There, this begins UTF-16. Our formats refuse it before.
      fc.pre(bytes[0] !== 0xff);
      const dialect = { delimiter: ",", quote: '"', ragged: true };
      expect(read(bytes, dialect, 40)).toEqual(await readByCsvParse(bytes, dialect, 40));
    }),
    { numRuns: 500 },
  );
});
