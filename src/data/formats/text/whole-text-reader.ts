import { isUtf8 } from "node:buffer";
import type { Row } from "../../batch/batch.js";
import type { ReadRequest, RowBlock } from "../format.js";
import { checkIsText, linesIn, placeOfInvalid } from "./line-rows.js";
import { TextReader, type TextReaderOptions } from "./text-reader.js";
import { unpacked } from "./unpack.js";

export const MAX_ROW_BYTES = 64 << 20;
const KEPT_BYTES = 1 << 16;
const BYTE_ORDER_MARK = Buffer.from("\ufeff");

/** A paragraph, or the document; or lines that are none. */
interface Part {
  readonly bytes: Buffer;
  /** From its beginning to the next part. */
  readonly lines: number;
  /** Only its beginning is kept. */
  readonly isTooLong?: boolean;
}

/** Paragraphs, which are separated by blank lines, or the document as one row. */
export class WholeTextReader extends TextReader {
  readonly #by: "paragraph" | "document";
  readonly #column: string;
  readonly #maxBytes: number;

  constructor(options: TextReaderOptions, by: "paragraph" | "document", column: string, maxBytes = MAX_ROW_BYTES) {
    super({ ...options, undivided: by === "document" ? "a document is one row" : "paragraphs may have any length" });
    this.#maxBytes = maxBytes;
    this.#by = by;
    this.#column = column;
  }

  async *rows({ textErrors = "fail", onBadRow, batchRows = 1000 }: ReadRequest): AsyncGenerator<RowBlock> {
    let line = 1;
    let rows: Row[] = [];
    let positions: number[] = [];
    for await (const part of this.#by === "document" ? this.#document() : this.#paragraphs()) {
      const text = this.#by === "document" ? part.bytes.toString("utf8") : textOf(part.bytes);
      const first = line;
      line += part.lines;
      if (this.#by === "paragraph" && text.trim() === "") continue;
      const bad = whyBad(text, part, textErrors);
      if (bad === undefined) {
        rows.push({ [this.#column]: text });
        positions.push(first);
      } else {
        const { lines = 0, ...wrong } = bad;
        const row = { position: first + lines, ...wrong, text: text.slice(0, KEPT_BYTES) };
        if (!onBadRow) throw await this.badRow(0, row);
        onBadRow(row);
      }
      if (rows.length < batchRows) continue;
      yield { rows, first: positions[0]!, positions };
      rows = [];
      positions = [];
    }
    if (rows.length > 0) yield { rows, first: positions[0]!, positions };
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    let isFirst = true;
    for await (const chunk of unpacked(this.file, this.packing)) {
      if (isFirst) checkIsText(this.name, chunk.subarray(0, 4), "text");
      yield isFirst && chunk.subarray(0, 3).equals(BYTE_ORDER_MARK) ? chunk.subarray(3) : chunk;
      isFirst = false;
    }
  }

  async *#document(): AsyncGenerator<Part> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.#chunks()) {
      parts.push(Buffer.from(chunk));
      size += chunk.length;
      if (size > this.#maxBytes) return yield tooLong(parts[0]!, 0);
    }
    if (size > 0) yield { bytes: Buffer.concat(parts), lines: 0 };
  }

  async *#paragraphs(): AsyncGenerator<Part> {
    let kept: Buffer = Buffer.alloc(0);
    let isOverlong = false;
    for await (const chunk of this.#chunks()) {
      kept = Buffer.concat([kept, chunk]);
      if (isOverlong) {
        // The paragraph was told of; it ends at the next blank line.
        const end = endOfBlank(kept);
        const next = end ?? startOfBlank(kept);
        yield { bytes: Buffer.alloc(0), lines: linesIn(kept.subarray(0, next)) };
        isOverlong = end === undefined;
        kept = Buffer.from(kept.subarray(next));
      }
      // The last paragraph may go on.
      const end = isOverlong ? 0 : lastBlank(kept, kept.length - chunk.length - 2);
      if (end > 0) yield* paragraphs(kept.subarray(0, end), this.#maxBytes);
      kept = Buffer.from(kept.subarray(end));
      if (isOverlong || kept.length <= this.#maxBytes) continue;
      isOverlong = true;
      const next = startOfBlank(kept);
      yield tooLong(kept, linesIn(kept.subarray(0, next)));
      kept = Buffer.from(kept.subarray(next));
    }
    if (!isOverlong) yield* paragraphs(kept, this.#maxBytes);
  }
}

const tooLong = (bytes: Buffer, lines: number): Part => ({
  bytes: Buffer.from(bytes.subarray(0, KEPT_BYTES)),
  lines,
  isTooLong: true,
});

/** What is wrong with a row, and how many of its lines come before that place. */
function whyBad(
  text: string,
  { bytes, isTooLong }: Part,
  textErrors: "fail" | "replace",
): { what: string; hint?: string; lines?: number } | undefined {
  if (isTooLong) return { what: "it is longer than 64 MB" };
  if (textErrors === "fail" && !isUtf8(bytes)) return placeOfInvalid(bytes);
  if (!text.includes("\0")) return undefined;
  const lines = linesIn(bytes.subarray(0, bytes.indexOf(0)));
  return { what: "a NUL byte, which no text has", hint: "Check which format the file has.", lines };
}

const BLANK = /\n[ \t\r]*\n/g;

/** Behind the first blank line. */
function endOfBlank(bytes: Buffer): number | undefined {
  const [found] = bytes.toString("latin1").matchAll(BLANK);
  return found && found.index + found[0].length;
}

/** Where a blank line may begin whose end is still to come; else the end. */
function startOfBlank(bytes: Buffer): number {
  const newline = bytes.lastIndexOf(10);
  const isBlank = newline >= 0 && bytes.subarray(newline).every((byte) => byte <= 32);
  return isBlank ? newline : bytes.length;
}

/** Behind the last blank line that ends behind `from`; 0: there is none. */
function lastBlank(bytes: Buffer, from: number): number {
  const start = Math.max(0, from);
  const fresh = bytes.subarray(start);
  const found = Math.max(fresh.lastIndexOf("\n\n"), fresh.lastIndexOf("\n\r\n"));
  return found < 0 ? 0 : bytes.indexOf(10, start + found + 1) + 1;
}

/** Also those without text between blank lines. */
function* paragraphs(bytes: Buffer, maxBytes: number): Generator<Part> {
  let from = 0;
  function* part(to: number, next: number): Generator<Part> {
    // Line breaks that a blank line left over come before the paragraph.
    const begins = bytes.subarray(from, to).findIndex((byte) => byte !== 10 && byte !== 13);
    const text = from + Math.max(0, begins);
    if (text > from) yield { bytes: bytes.subarray(from, text), lines: linesIn(bytes.subarray(from, text)) };
    const lines = linesIn(bytes.subarray(text, next));
    yield to - text > maxBytes ? tooLong(bytes.subarray(text), lines) : { bytes: bytes.subarray(text, to), lines };
    from = next;
  }
  for (const { index, 0: blank } of bytes.toString("latin1").matchAll(BLANK)) {
    yield* part(index, index + blank.length);
  }
  yield* part(bytes.length, bytes.length);
}

const textOf = (paragraph: Buffer): string =>
  paragraph
    .toString("utf8")
    .replaceAll("\r\n", "\n")
    .replace(/^[\r\n]+|[\r\n]+$/g, "");
