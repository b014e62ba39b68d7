import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CsvCell, CsvDialect } from "../../../src/data/csv/dialect.js";
import { type CsvFault, CsvParser } from "../../../src/data/csv/parser.js";

const dialect: CsvDialect<null> = { delimiter: ",", quote: '"', empty: null, ragged: true };

interface Parsed {
  readonly rows: CsvCell[][];
  readonly lines: number[];
  readonly fault: CsvFault | undefined;
}

/** In pieces of so many characters. */
function parse(text: string, options: Partial<CsvDialect<null>> = {}, size = text.length): Parsed {
  const parser = new CsvParser({ ...dialect, ...options });
  const [rows, lines]: [CsvCell[][], number[]] = [[], []];
  const take = (): void => {
    const taken = parser.take();
    rows.push(...taken.rows);
    lines.push(...taken.lines);
  };
  for (let at = 0; at < text.length; at += size) {
    parser.push(text.slice(at, at + size));
    take();
  }
  parser.end();
  take();
  return { rows, lines, fault: parser.fault };
}

/** The same in pieces of every size. */
function parseInPieces(text: string, options?: Partial<CsvDialect<null>>): Parsed {
  const whole = parse(text, options);
  for (let size = 1; size < text.length; size++)
    expect(parse(text, options, size), `${JSON.stringify(text)} in pieces of ${size}`).toEqual(whole);
  return whole;
}

const rowsOf = (text: string, options?: Partial<CsvDialect<null>>): CsvCell[][] => {
  const { rows, fault } = parseInPieces(text, options);
  expect(fault).toBeUndefined();
  return rows;
};

describe("what is read, in pieces of every size", () => {
  test.each<[string, string, CsvCell[][]]>([
    ["nothing", "", []],
    ["empty lines", "\n\r\n\r\r\n\n", []],
    ["a row without an end", "a,b", [["a", "b"]]],
    ["rows that end in LF, CRLF and CR", "a\nb\r\nc\rd\n\re", [["a"], ["b"], ["c"], ["d"], ["e"]]],
    [
      "empty cells and empty texts",
      ',"",\n"",\n,',
      [
        [null, "", null],
        ["", null],
        [null, null],
      ],
    ],
    ["an empty text alone", '""\n""', [[""], [""]]],
    ["quotes", '"a","b""c","""",""""""\n', [["a", 'b"c', '"', '""']]],
    ["delimiters and newlines in quotes", '"a,b","c\nd\re\r\nf"\r\n', [["a,b", "c\nd\re\r\nf"]]],
    ["blanks", ' a , "\n', [[" a ", ' "']].slice(1)],
    ["a byte order mark", '\ufeff"a"\n\ufeffb\n', [["a"], ["\ufeffb"]]],
  ])("%s", (what, text, rows) => {
    if (what === "blanks") return expect(parseInPieces(text).fault?.kind).toBe("stray-quote");
    expect(rowsOf(text)).toEqual(rows);
  });

  test("an empty cell is what the dialect says", () => {
    const parser = new CsvParser({ ...dialect, empty: "" });
    parser.push('a,,""\n\n,b\n');
    expect(parser.take().rows).toEqual([
      ["a", "", ""],
      ["", "b"],
    ]);
  });

  test("another delimiter, another quote, none; a byte order mark in the middle of a file", () => {
    expect(rowsOf("a\t'b\t'''\n", { delimiter: "\t", quote: "'" })).toEqual([["a", "b\t'"]]);
    expect(rowsOf("あ、い\n", { delimiter: "、" })).toEqual([["あ", "い"]]);
    expect(rowsOf('"a",b"\n"\n', { quote: null })).toEqual([['"a"', 'b"'], ['"']]);
    expect(rowsOf("\ufeffa\n", { isStart: false })).toEqual([["\ufeffa"]]);
  });

  test("the limit is one row's", () =>
    expect(rowsOf("abc,defg\n\n".repeat(3), { maxRowCharacters: 8 })).toEqual(Array(3).fill(["abc", "defg"])));

  test("the width and the line of the first row", () => {
    const parser = new CsvParser(dialect);
    parser.push('\n\r\n"a\n",b,c\nd\n');
    expect([parser.width, parser.firstLine, parser.line]).toEqual([3, 4, 6]);
  });

  test("a row can be left out", () => {
    const parser = new CsvParser(dialect);
    parser.push('a\n"b\n');
    expect(parser.isInQuotes).toBe(true);
    parser.spoilRow();
    parser.push('c"\nd\n');
    expect(parser.take()).toEqual({ rows: [["a"], ["d"]], lines: [1, 4] });
    expect(parser.isInQuotes).toBe(false);
  });
});

describe("what is wrong, by the line that its row begins in; the rows before it are given", () => {
  test.each<[string, Partial<CsvDialect<null>>, CsvFault, number]>([
    ['a\n\n\n"b\nc', {}, { kind: "open-quote", line: 4 }, 1],
    ['a\r\n"b""', {}, { kind: "open-quote", line: 2 }, 1],
    ['a\n"b"c\nd\n', {}, { kind: "stray-quote", line: 2 }, 1],
    ['a\n"b\r\n" \nd\n', {}, { kind: "stray-quote", line: 2 }, 1],
    ['a\n""b', {}, { kind: "stray-quote", line: 2 }, 1],
    ['a\nb,c"\n', {}, { kind: "stray-quote", line: 2 }, 1],
    ['a\nb"', {}, { kind: "stray-quote", line: 2 }, 1],
    ["a,b\n\n1,2,3\n4,5\n", { ragged: false }, { kind: "ragged", line: 3, width: 3 }, 1],
    ['a,b\n1,2\n"\n"', { ragged: false }, { kind: "ragged", line: 3, width: 1 }, 2],
    ["abc,defg\nabc,defgh\nx\n", { maxRowCharacters: 8 }, { kind: "too-long", line: 2 }, 1],
    ["abc,defgh", { maxRowCharacters: 8 }, { kind: "too-long", line: 1 }, 0],
    ['abc,"efgh\n', { maxRowCharacters: 8 }, { kind: "too-long", line: 1 }, 0],
    ['a\nabc,"efghi"\n', { maxRowCharacters: 8 }, { kind: "too-long", line: 2 }, 1],
  ])("%j", (text, options, fault, before) => {
    const parsed = parseInPieces(text, options);
    expect(parsed.fault).toEqual(fault);
    expect(parsed.rows.length).toBe(before);
  });
});

const cells = fc.oneof(
  {
    arbitrary: fc.string({
      unit: fc.constantFrom("a", "é", "😀", '"', "'", ",", ";", "\t", " ", "\n", "\r", "\ufeff"),
    }),
    weight: 3,
  },
  { arbitrary: fc.constantFrom(null, "", "1", "text", "\r\n"), weight: 2 },
);
const tables = fc
  .integer({ min: 1, max: 4 })
  .chain((width) => fc.array(fc.array(cells, { minLength: width, maxLength: width })));
const dialects = fc.record({
  delimiter: fc.constantFrom(",", ";", "\t", "é"),
  quote: fc.constantFrom('"', "'", null),
});
/** What a writer is free to do: newlines, empty lines, quotes that need not be. */
const choices = fc.infiniteStream(fc.nat(99));

test("a table is what was written, in any dialect and in pieces of any size", () => {
  fc.assert(
    fc.property(tables, dialects, choices, (table, { delimiter, quote }, choice) => {
      const pick = (): number => choice.next().value;
      const special = new RegExp(`[${delimiter}\r\n\ufeff${quote ?? ""}]`);
      let text = pick() < 30 ? "\ufeff" : "";
      const rows: CsvCell[][] = [];
      const lines: number[] = [];
      for (const row of table) {
        // Nothing but quotes can say the empty text, and a row that is an empty line.
        const given = row.map((cell) =>
          quote === null
            ? cell?.replaceAll(new RegExp(special, "g"), "") || "x"
            : row.length === 1
              ? (cell ?? "")
              : cell,
        );
        const written = given.map((cell) =>
          cell !== null && quote !== null && (cell === "" || special.test(cell) || pick() < 30)
            ? quote + cell.replaceAll(quote, quote + quote) + quote
            : (cell ?? ""),
        );
        text += written.join(delimiter);
        rows.push(given);
        lines.push(1 + (text.match(/\r\n|\n|\r/g)?.length ?? 0));
        text += ["\n", "\r\n", "\r"][pick() % 3];
        while (pick() < 20) text += ["\n", "\r\n"][pick() % 2];
      }
      if (pick() < 30) text = text.replace(/[\r\n]+$/, "");
      const expected = { rows, lines, fault: undefined };
      for (const size of [1, 2, 3, 5, 8, 13, 1000]) expect(parse(text, { delimiter, quote }, size)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
