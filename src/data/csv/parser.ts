import type { CsvCell, CsvDialect } from "./dialect.js";

/** Why there are no more rows. */
export type CsvFault =
  | { readonly kind: "open-quote" | "stray-quote" | "too-long"; readonly line: number }
  | { readonly kind: "ragged"; readonly line: number; readonly width: number };

/** Where a piece of text ends: before or inside an unquoted cell, inside quotes, behind a quote that may close or be doubled. */
type Place = "unquoted" | "quoted" | "behind-quote";

const LF = 10;
const CR = 13;
const BYTE_ORDER_MARK = 0xfeff;
const MAX_ROW_CHARACTERS = 64 << 20;

/**
 * CSV as in RFC 4180, in pieces of any size. Rows end in LF, CRLF or CR; empty lines are no rows; a quote may only open a cell.
 * Cells are found by `indexOf` and cut out of the piece, so that a short cell may keep its whole piece in memory.
 */
export class CsvParser<Cell extends CsvCell = string> {
  readonly #delimiter: string;
  readonly #quote: string | null;
  readonly #empty: Cell;
  readonly #isRagged: boolean;
  readonly #maxRowCharacters: number;
  /** Rows that ended and were not taken, and the lines they ended in. */
  #rows: (string | Cell)[][] = [];
  #lines: number[] = [];
  /** The cells of the row that is being read are the first `#count` ones. The array is used for all rows. */
  readonly #cells: (string | Cell)[] = [];
  #count = 0;
  /** What earlier pieces have of the cell that is being read. */
  #begun = "";
  #place: Place = "unquoted";
  #mayHaveMark: boolean;
  /** The last piece ended in CR: a LF in front of the next one belongs to it. */
  #isBehindReturn = false;
  #line = 1;
  #rowLine = 1;
  /** Characters of the row in earlier pieces, and where it begins in this one. */
  #rowCharacters = 0;
  #rowStart = 0;
  #width = 0;
  #firstLine = 0;
  #fault: CsvFault | undefined;
  #isSpoilt = false;

  constructor({ delimiter, quote, empty, ragged = false, isStart = true, maxRowCharacters }: CsvDialect<Cell>) {
    this.#delimiter = delimiter;
    this.#quote = quote;
    this.#empty = empty;
    this.#isRagged = ragged;
    this.#mayHaveMark = isStart;
    this.#maxRowCharacters = maxRowCharacters ?? MAX_ROW_CHARACTERS;
  }

  /** The line that the next character stands in, from 1. */
  get line(): number {
    return this.#line;
  }

  get isInQuotes(): boolean {
    return this.#place !== "unquoted";
  }

  /** How many cells the first row has, and the line it ended in; 0 before it. */
  get width(): number {
    return this.#width;
  }

  get firstLine(): number {
    return this.#firstLine;
  }

  get fault(): CsvFault | undefined {
    return this.#fault;
  }

  /** The rows that ended since the last call, and the lines they ended in. */
  take(): { rows: (string | Cell)[][]; lines: number[] } {
    const taken = { rows: this.#rows, lines: this.#lines };
    this.#rows = [];
    this.#lines = [];
    return taken;
  }

  /** The row that is being read is to be left out. */
  spoilRow(): void {
    this.#isSpoilt = true;
  }

  push(text: string): void {
    if (this.#fault !== undefined || text === "") return;
    const start = this.#begin(text);
    this.#rowStart = start;
    const end = this.#place === "unquoted" ? start : this.#quoted(text, start);
    this.#unquoted(text, end);
    this.#rowCharacters += text.length - this.#rowStart;
    this.#isBehindReturn = text.charCodeAt(text.length - 1) === CR;
    if (this.#rowCharacters > this.#maxRowCharacters) this.#fail("too-long");
  }

  /** The last row, if nothing ended it. */
  end(): void {
    if (this.#fault !== undefined) return;
    if (this.#place === "quoted") return this.#fail("open-quote");
    this.#rowStart = 0;
    if (this.#place === "behind-quote") this.#cells[this.#count++] = this.#begun;
    else if (this.#count > 0 || this.#begun !== "") this.#cells[this.#count++] = this.#begun || this.#empty;
    if (this.#count > 0) this.#endRow(0);
    this.#begun = "";
    this.#place = "unquoted";
  }

  /** Where the piece's first cell, or what is left of it, begins. */
  #begin(text: string): number {
    const first = text.charCodeAt(0);
    const isMark = this.#mayHaveMark && first === BYTE_ORDER_MARK;
    this.#mayHaveMark = false;
    if (isMark) return 1;
    if (!this.#isBehindReturn || first !== LF) return 0;
    // The CR counted as a line; outside of quotes it ended a row.
    if (this.#place === "quoted") this.#line--;
    return this.#place === "unquoted" ? 1 : 0;
  }

  /** From `start`, where a cell begins or an unquoted one goes on. */
  #unquoted(text: string, start: number): void {
    const { length } = text;
    const cells = this.#cells;
    let at = start;
    // The next ones at or behind `at`; the text's length for none.
    let delimiter = -1;
    let lf = -1;
    let cr = -1;
    let quote = -1;
    while (at < length) {
      if (quote < at) quote = next(text, this.#quote, at);
      if (quote === at && this.#begun === "") {
        at = this.#quoted(text, at + 1);
        continue;
      }
      if (delimiter < at) delimiter = next(text, this.#delimiter, at);
      if (lf < at) lf = next(text, "\n", at);
      if (cr < at) cr = next(text, "\r", at);
      const rowEnd = cr < lf ? cr : lf;
      const plainEnd = quote < rowEnd ? quote : rowEnd;
      if (delimiter < plainEnd) {
        let count = this.#count;
        cells[count++] = this.#cell(text, at, delimiter);
        // Most cells are cut here.
        for (at = delimiter + 1; ; at = delimiter + 1) {
          delimiter = next(text, this.#delimiter, at);
          if (delimiter >= plainEnd) break;
          cells[count++] = delimiter === at ? this.#empty : text.slice(at, delimiter);
        }
        this.#count = count;
        if (quote === at) continue;
      }
      if (quote < rowEnd) return this.#fail("stray-quote");
      if (rowEnd === length) {
        this.#begun += text.slice(at);
        return;
      }
      if (this.#count > 0 || rowEnd > at || this.#begun !== "") {
        cells[this.#count++] = this.#cell(text, at, rowEnd);
        this.#endRow(rowEnd);
        if (this.#fault !== undefined) return;
      }
      at = rowEnd + 1;
      if (rowEnd === cr && text.charCodeAt(at) === LF) at++;
      this.#nextLine(at);
    }
  }

  /** An unquoted one, with what earlier pieces have of it. */
  #cell(text: string, from: number, to: number): string | Cell {
    if (this.#begun === "") return from === to ? this.#empty : text.slice(from, to);
    const cell = this.#begun + text.slice(from, to);
    this.#begun = "";
    return cell;
  }

  /**
   * A quoted cell from `start`, somewhere behind its first quote, with the delimiter or the line's end behind it.
   * @returns where the next cell begins; the end of the text where this one goes on behind it or is wrong
   */
  #quoted(text: string, start: number): number {
    const quote = this.#quote!;
    const { length } = text;
    let at = start;
    if (this.#place !== "behind-quote") at = this.#insideQuotes(text, at);
    else if (text[at] === quote) {
      this.#begun += quote;
      at = this.#insideQuotes(text, at + 1);
    }
    if (at === length) return length;
    this.#cells[this.#count++] = this.#begun;
    this.#begun = "";
    this.#place = "unquoted";
    if (text[at] === this.#delimiter) return at + 1;
    const code = text.charCodeAt(at);
    if (code !== LF && code !== CR) {
      this.#fail("stray-quote");
      return length;
    }
    this.#endRow(at);
    if (this.#fault !== undefined) return length;
    at++;
    if (code === CR && text.charCodeAt(at) === LF) at++;
    this.#nextLine(at);
    return at;
  }

  /** @returns what stands behind the closing quote, or the end of the text */
  #insideQuotes(text: string, start: number): number {
    const quote = this.#quote!;
    let hasDoubled = false;
    let found = text.indexOf(quote, start);
    for (; found >= 0 && text[found + 1] === quote; found = text.indexOf(quote, found + 2)) hasDoubled = true;
    const part = text.slice(start, found < 0 ? text.length : found);
    this.#begun += hasDoubled ? part.replaceAll(quote + quote, quote) : part;
    this.#line += countLines(part);
    this.#place = found < 0 ? "quoted" : "behind-quote";
    return found < 0 ? text.length : found + 1;
  }

  /** The cells are a row. @param end where it ends in this piece */
  #endRow(end: number): void {
    const count = this.#count;
    if (this.#rowCharacters + end - this.#rowStart > this.#maxRowCharacters) return this.#fail("too-long");
    if (this.#width === 0) {
      this.#width = count;
      this.#firstLine = this.#line;
    } else if (count !== this.#width && !this.#isRagged) {
      this.#fault = { kind: "ragged", line: this.#rowLine, width: count };
      return;
    }
    this.#count = 0;
    if (this.#isSpoilt) {
      this.#isSpoilt = false;
      return;
    }
    this.#rows.push(this.#cells.slice(0, count));
    this.#lines.push(this.#line);
  }

  #nextLine(at: number): void {
    this.#rowStart = at;
    this.#rowCharacters = 0;
    this.#rowLine = ++this.#line;
  }

  #fail(kind: "open-quote" | "stray-quote" | "too-long"): void {
    this.#fault = { kind, line: this.#rowLine };
  }
}

/** The next place of a character, or the text's length. */
function next(text: string, character: string | null, from: number): number {
  if (character === null) return text.length;
  const found = text.indexOf(character, from);
  return found < 0 ? text.length : found;
}

/** CRLF is one. */
function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  for (let at = text.indexOf("\r"); at >= 0; at = text.indexOf("\r", at + 1))
    if (text.charCodeAt(at + 1) !== LF) count++;
  return count;
}
