import type { Row } from "../batch/batch.js";
import { NotText } from "../features/not-text.js";
import { loneSurrogate } from "../features/text-flaws.js";
import { defineFormat, type Packing } from "./format.js";
import { BadLine } from "./text/line-rows.js";
import { LineReader } from "./text/text-reader.js";
import { openTextWriter } from "./text/text-writer.js";
import { MAX_ROW_BYTES, WholeTextReader } from "./text/whole-text-reader.js";

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
    return new LineReader({
      ...common,
      blankLines: "rows",
      parserFor: (text) => lineParser(column, text.includes("\0")),
    });
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

/**
 * A row as it is read back.
 * @throws NotText for what would be no row or another one, several rows, or a part of the row before
 */
function rowText(row: Row, column: string, by: string, index: number): string {
  const others = Object.keys(row).filter((name) => name !== column);
  if (others.length > 0)
    throw new NotText(`plain text has only the column ${column}, not ${others.join(", ")}: choose jsonl or csv`);
  const text = (row[column] ?? "") as unknown;
  if (typeof text !== "string") throw new NotText(`column ${column} is not a text`);
  if (!text.isWellFormed()) throw new NotText(`column ${column} is ${loneSurrogate(text)}`);
  const wrong = whyLost[by]!(text, index) ?? whyUnreadable(text, index);
  if (wrong !== undefined) throw new NotText(wrong);
  if (by === "document") return text;
  return by === "line" ? `${text}\n` : `${index === 0 ? "" : "\n"}${text}\n`;
}

/** By what is a row. */
const whyLost: Readonly<Record<string, (text: string, index: number) => string | undefined>> = {
  line: (text) =>
    /[\r\n]/.test(text)
      ? "a text has a line break, and would be read back as two rows: choose jsonl or csv"
      : undefined,
  paragraph: (text) => {
    if (text.trim() === "") return "a text is blank, and a blank paragraph is not read back: choose jsonl or csv";
    if (/\n[ \t\r]*\n/.test(text)) return "a text has a blank line, which separates paragraphs";
    if (/^[\r\n]|\n[ \t\r]*$|\r$/.test(text))
      return "a text begins or ends with a line break, which separates paragraphs";
    return text.includes("\r\n") ? "a text has the line break CR LF, which is read as LF in paragraphs" : undefined;
  },
  document: (text, index) => {
    if (index > 0) return "with by=document a file holds one row, and has one already: choose jsonl or csv";
    return text === "" ? "a text is empty, and an empty file has no row: choose jsonl or csv" : undefined;
  },
};

function whyUnreadable(text: string, index: number): string | undefined {
  if (text.includes("\0")) return "a text has a NUL character, which is not read back as text";
  if (index === 0 && text.startsWith("\ufeff"))
    return "the first text begins with a byte order mark, which is not part of the text of a file";
  if (text.length > MAX_ROW_BYTES / 3 && Buffer.byteLength(text) > MAX_ROW_BYTES) return "a text is longer than 64 MB";
  return undefined;
}
