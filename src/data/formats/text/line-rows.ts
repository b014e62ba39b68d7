import { isUtf8 } from "node:buffer";
import { KagurazakaError } from "../../../base/errors.js";
import type { Row } from "../../batch/batch.js";
import type { BadRow, RowBlock } from "../format.js";
import type { LineBlock } from "./line-blocks.js";

/** The most of a bad row that is kept. */
const KEPT_CHARACTERS = 1 << 16;

/**
 * Chooses the parser for some lines of text, which may tell whether a simple one will do. The parser makes a row of a line, or
 * undefined of one that is none; it throws `BadLine`.
 */
export type ParserFor = (text: string) => (line: string) => Row | undefined;

interface LineRowsOptions {
  readonly parserFor: ParserFor;
  readonly maxLineBytes: number;
  readonly textErrors: "fail" | "replace";
  readonly onBadRow: (bad: BadRow) => void;
  /** The block begins the file: a byte order mark is no part of it. */
  readonly isStart: boolean;
  /** Lines before the block. */
  readonly line: number;
}

/** Thrown by parsers of a line. */
export class BadLine extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** The rows of a block, and how many lines it has. */
export function rowsOfLines(block: LineBlock, options: LineRowsOptions): { rows: RowBlock; lines: number } {
  const reader = new BlockReader(options);
  if (block.isTooLong) reader.tooLong(block.bytes);
  else if (options.textErrors === "replace" || isUtf8(block.bytes)) reader.text(block.bytes.toString("utf8"));
  else reader.damaged(block.bytes);
  return { rows: reader.rows, lines: reader.line - options.line };
}

class BlockReader {
  readonly #options: LineRowsOptions;
  readonly #rows: Row[] = [];
  /** Undefined while the rows have no gaps. */
  #positions: number[] | undefined;
  #first = 0;
  line: number;

  constructor(options: LineRowsOptions) {
    this.#options = options;
    this.line = options.line;
  }

  get rows(): RowBlock {
    return { rows: this.#rows, first: this.#first, positions: this.#positions };
  }

  text(text: string): void {
    const { isStart, parserFor } = this.#options;
    const parse = parserFor(text);
    for (let start = isStart && text.charCodeAt(0) === 0xfeff ? 1 : 0; start < text.length; ) {
      const newline = text.indexOf("\n", start);
      const end = newline < 0 ? text.length : newline;
      this.line++;
      this.#one(text.slice(start, end), parse);
      start = end + 1;
    }
  }

  #one(line: string, parse: ReturnType<ParserFor>): void {
    try {
      const row = parse(line);
      if (row !== undefined) this.#add(row);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      this.#bad(error.message, error.hint, line);
    }
  }

  #add(row: Row): void {
    const { line } = this;
    if (this.#rows.length === 0) this.#first = line;
    else if (this.#positions) this.#positions.push(line);
    else if (line !== this.#first + this.#rows.length)
      this.#positions = [...Array.from(this.#rows, (_, i) => this.#first + i), line];
    this.#rows.push(row);
  }

  /** Line by line: those that are UTF-8 are read. */
  damaged(bytes: Buffer): void {
    for (let start = 0; start < bytes.length; ) {
      const newline = bytes.indexOf(10, start);
      const end = newline < 0 ? bytes.length : newline;
      const line = bytes.subarray(start, end);
      this.line++;
      const isFirst = start === 0 && this.#options.isStart;
      start = end + 1;
      const text = isFirst ? line.toString("utf8").replace(/^\ufeff/, "") : line.toString("utf8");
      if (isUtf8(line)) this.#one(text, this.#options.parserFor(text));
      else {
        const { what, hint } = placeOfInvalid(line);
        this.#bad(what, hint, text);
      }
    }
  }

  tooLong(beginning: Buffer): void {
    this.line++;
    const megabytes = Math.round(this.#options.maxLineBytes / 2 ** 20);
    this.#bad(
      `the line is longer than ${megabytes} MB`,
      "Put large contents into files and name those in the row.",
      beginning.toString("utf8"),
    );
  }

  #bad(what: string, hint: string | undefined, text: string): void {
    this.#options.onBadRow({ position: this.line, what, hint, text: text.slice(0, KEPT_CHARACTERS) });
  }
}

const UTF8_HINT = "Convert the file, e.g. with iconv, or say --text-errors replace.";

/** Where a row is damaged. @param column of its first byte in its line, from 0 @returns also how many of its lines come before */
export function placeOfInvalid(bytes: Buffer, column = 0): { what: string; hint: string; lines: number } {
  const at = invalidAt(bytes);
  const before = bytes.subarray(0, at);
  const lines = linesIn(before);
  const inLine = lines === 0 ? column + at : at - before.lastIndexOf(10) - 1;
  return { what: `not valid UTF-8 at byte ${inLine + 1} of the line`, hint: UTF8_HINT, lines };
}

/** How many lines end in it. */
export function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

/** The index of the first byte that is not UTF-8. */
export function invalidAt(bytes: Buffer): number {
  let [from, to] = [0, bytes.length];
  // The longest valid beginning: a cut may fall into a character, so up to three bytes less are tried.
  while (from < to) {
    const middle = Math.ceil((from + to) / 2);
    if ([0, 1, 2, 3].some((less) => less <= middle && isUtf8(bytes.subarray(0, middle - less)))) from = middle;
    else to = middle - 1;
  }
  const less = [0, 1, 2, 3].find((one) => isUtf8(bytes.subarray(0, from - one))) ?? 0;
  return Math.min(from - less, bytes.length - 1);
}

/** Refuses what is no UTF-8 text at all, by its first bytes. */
export function checkIsText(name: string, head: Buffer, format: string): void {
  const what = notText(head) ?? (format.startsWith("JSON") ? otherFormat(head) : undefined);
  if (what === undefined) return;
  const [is, hint] = what;
  throw new KagurazakaError("bad-data", `${name} is not ${format}: ${is}`, { where: name, hint });
}

/** No JSON begins so; a text might. */
function otherFormat(head: Buffer): readonly [string, string] | undefined {
  const magic = head.toString("latin1", 0, 4);
  const is = magic === "PAR1" || magic === "PARE" ? "parquet" : magic === "ARRO" ? "arrow" : undefined;
  return is && [`it begins as ${is} does`, `Say the format with --format ${is}, or name the file .${is}.`];
}

function notText(head: Buffer): readonly [string, string] | undefined {
  if (head.length < 2) return undefined;
  const marked = head.readUInt16BE(0);
  const isUtf32 = head.length >= 4 && (head.readUInt32BE(0) === 0xfffe0000 || head.readUInt32BE(0) === 0xfeff);
  if (isUtf32) return ["it is UTF-32", "Convert it: iconv -f UTF-32 -t UTF-8."];
  if (marked === 0xfffe || marked === 0xfeff) return ["it is UTF-16", "Convert it: iconv -f UTF-16 -t UTF-8."];
  if (marked === 0x1f8b) return ["it is gzip-compressed", "Give the file a name that ends in .gz."];
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528)
    return ["it is zstd-compressed", "Give the file a name that ends in .zst."];
  const nul = head.indexOf(0);
  if (nul < 0) return undefined;
  const wide = wideEncoding(head);
  return wide === undefined
    ? [`byte ${nul} is NUL, which no text has`, "Check which format the file has, and say it with --format."]
    : [`it looks like ${wide} without a byte order mark`, `Convert it: iconv -f ${wide} -t UTF-8.`];
}

/** Where a text begins with letters of ASCII, the NUL bytes beside them tell. */
function wideEncoding(head: Buffer): string | undefined {
  const zeros = Array.from(head.subarray(0, 4), (byte) => (byte === 0 ? "0" : "x")).join("");
  if (zeros === "x000") return "UTF-32LE";
  if (zeros === "000x") return "UTF-32BE";
  if (/^x0(?:x0?)?$/.test(zeros)) return "UTF-16LE";
  return /^0x(?:0x?)?$/.test(zeros) ? "UTF-16BE" : undefined;
}
