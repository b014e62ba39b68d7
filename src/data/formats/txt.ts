import { isUtf8 } from "node:buffer";
import type { Row } from "../batch/batch.js";
import { defineFormat, type Packing, type ReadRequest, type RowBlock } from "./format.js";
import { BadLine, checkIsText } from "./text/line-rows.js";
import { NotText } from "./text/not-text.js";
import { LineReader, TextReader, type TextReaderOptions } from "./text/text-reader.js";
import { openTextWriter } from "./text/text-writer.js";
import { unpacked } from "./text/unpack.js";

const MAX_DOCUMENT_BYTES = 64 << 20;

/** Plain text: one column. As in Hugging Face's loader, a blank line is a row when rows are lines. */
export default defineFormat({
  name: "txt",
  help: "plain text: lines, paragraphs or whole files",
  extensions: [".txt", ".text"],
  packs: true,
  codecs: [],
  options: {
    by: { type: "string", choices: ["line", "paragraph", "document"], default: "line", help: "what is a row" },
    column: { type: "string", default: "text", help: "the name of the column" },
  },
  hasSchema: false,
  recognises: () => false,
  open: async ({ file, packing, features, options: { by, column } }) => {
    const common = { file, packing, features, formatName: "text" };
    if (by !== "line") return new WholeTextReader(common, by, column);
    return new LineReader({ ...common, parserFor: (text) => lineParser(column, text.includes("\0")) });
  },
  create: ({ path, compression, options: { by, column } }) => {
    const textOf = (row: Row, index: number): string => rowText(row, column, by, index);
    return openTextWriter({ path, packing: compression as Packing, textOf });
  },
});

const lineParser =
  (column: string, mayHaveNul: boolean) =>
  (line: string): Row => {
    if (mayHaveNul && line.includes("\0"))
      throw new BadLine("a NUL byte, which no text has", "Check which format the file has.");
    return { [column]: line.endsWith("\r") ? line.slice(0, -1) : line };
  };

/** Paragraphs are separated by blank lines. */
class WholeTextReader extends TextReader {
  readonly #by: "paragraph" | "document";
  readonly #column: string;

  constructor(options: TextReaderOptions, by: "paragraph" | "document", column: string) {
    super({ ...options, undivided: by === "document" ? "a document is one row" : "paragraphs may have any length" });
    this.#by = by;
    this.#column = column;
  }

  async *rows({ textErrors = "fail", onBadRow, batchRows = 1000 }: ReadRequest): AsyncGenerator<RowBlock> {
    let line = 1;
    let rows: Row[] = [];
    let positions: number[] = [];
    for await (const { text, bytes, lines } of this.#parts()) {
      const bad =
        bytes === undefined
          ? "it is longer than 64 MB"
          : textErrors === "fail" && !isUtf8(bytes)
            ? "not valid UTF-8"
            : text.includes("\0")
              ? "a NUL byte, which no text has"
              : undefined;
      if (bad !== undefined) {
        const row = { position: line, what: bad, text: text.slice(0, 65_536) };
        if (!onBadRow) throw await this.badRow(0, row);
        onBadRow(row);
      } else {
        rows.push({ [this.#column]: text });
        positions.push(line);
      }
      line += lines;
      if (rows.length < batchRows) continue;
      yield { rows, first: positions[0]!, positions };
      rows = [];
      positions = [];
    }
    if (rows.length > 0) yield { rows, first: positions[0]!, positions };
  }

  /** Documents, or paragraphs; `bytes` undefined: too long to be kept. */
  async *#parts(): AsyncGenerator<{ text: string; bytes: Buffer | undefined; lines: number }> {
    let kept: Buffer = Buffer.alloc(0);
    let isFirst = true;
    for await (const chunk of unpacked(this.file, this.packing)) {
      if (isFirst) checkIsText(this.name, chunk.subarray(0, 4), "text");
      const fresh = isFirst && chunk.subarray(0, 3).equals(Buffer.from("\ufeff")) ? chunk.subarray(3) : chunk;
      isFirst = false;
      kept = Buffer.concat([kept, fresh]);
      if (kept.length > MAX_DOCUMENT_BYTES)
        return yield { text: kept.toString("utf8", 0, 65_536), bytes: undefined, lines: 0 };
      if (this.#by === "document") continue;
      // The last paragraph may go on.
      const end = lastBlank(kept);
      if (end <= 0) continue;
      yield* paragraphs(kept.subarray(0, end));
      kept = Buffer.from(kept.subarray(end));
    }
    if (this.#by === "paragraph") yield* paragraphs(kept);
    else if (this.file.size > 0) yield { text: kept.toString("utf8"), bytes: kept, lines: 0 };
  }
}

const BLANK = /\n[ \t\r]*\n/g;

/** Behind the last blank line; 0: there is none. */
function lastBlank(bytes: Buffer): number {
  const found = Math.max(bytes.lastIndexOf("\n\n"), bytes.lastIndexOf("\n\r\n"));
  return found < 0 ? 0 : bytes.indexOf(10, found + 1) + 1;
}

function* paragraphs(bytes: Buffer): Generator<{ text: string; bytes: Buffer; lines: number }> {
  const all = bytes.toString("latin1");
  let from = 0;
  const part = (to: number, next: number) => {
    const piece = bytes.subarray(from, to);
    const lines = all.slice(from, next).split("\n").length - 1;
    from = next;
    const text = piece
      .toString("utf8")
      .replaceAll("\r\n", "\n")
      .replace(/^[\r\n]+|[\r\n]+$/g, "");
    return { text, bytes: piece, lines };
  };
  for (const found of all.matchAll(BLANK)) {
    if (found.index < from) continue;
    const one = part(found.index, found.index + found[0].length);
    if (one.text.trim() !== "") yield one;
  }
  const last = part(all.length, all.length);
  if (last.text.trim() !== "") yield last;
}

function rowText(row: Row, column: string, by: string, index: number): string {
  const others = Object.keys(row).filter((name) => name !== column);
  if (others.length > 0)
    throw new NotText(`plain text has only the column ${column}, not ${others.join(", ")}: choose jsonl or csv`);
  const text = (row[column] ?? "") as unknown;
  if (typeof text !== "string") throw new NotText(`column ${column} is no text`);
  if (by === "line" && /[\r\n]/.test(text)) throw new NotText("a text has a line break, and each line is a row");
  if (by === "paragraph" && /\n[ \t\r]*\n/.test(text))
    throw new NotText("a text has a blank line, which separates paragraphs");
  if (by === "document") return text;
  return by === "line" ? `${text}\n` : `${index === 0 ? "" : "\n"}${text}\n`;
}
