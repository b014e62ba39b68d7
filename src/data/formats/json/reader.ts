import { isUtf8 } from "node:buffer";
import { KagurazakaError } from "../../../base/errors.js";
import { parseJson } from "../../../base/exact-json.js";
import type { Row } from "../../batch/batch.js";
import type { BadRow, ReadRequest, RowBlock } from "../format.js";
import { cut, project } from "../row-block.js";
import { checkKeys, notObject, whyNotJson } from "../text/json-row.js";
import { BadLine, checkIsText, placeOfInvalid } from "../text/line-rows.js";
import { TextReader, type TextReaderOptions } from "../text/text-reader.js";
import { unpacked } from "../text/unpack.js";
import { ElementScanner, ScanFailure, type ScannedElement } from "./scan-elements.js";

/** The elements of an array, one at a time: memory is bounded by the largest. */
export class JsonArrayReader extends TextReader {
  readonly #field: string | undefined;

  constructor(options: Omit<TextReaderOptions, "undivided">, field: string | undefined) {
    super({ ...options, undivided: "a JSON array cannot be opened in its middle" });
    this.#field = field;
  }

  async *rows({ columns, batchRows, textErrors = "fail", onBadRow }: ReadRequest): AsyncGenerator<RowBlock> {
    const scanner = new ElementScanner(this.#field);
    const before = { elements: 0, line: 0 };
    let isFirst = true;
    try {
      for await (const chunk of unpacked(this.file, this.packing)) {
        if (isFirst) checkIsText(this.name, chunk, "JSON");
        isFirst = false;
        const rows: Row[] = [];
        const positions: number[] = [];
        let bad: BadRow | undefined;
        for (const element of scanner.push(chunk)) {
          const row = rowOf(element, textErrors);
          before.elements++;
          if (!("bad" in row)) {
            rows.push(row.row);
            positions.push(element.line);
          } else {
            // Elements of one line are told apart by their number.
            const what = element.line === before.line ? `element ${before.elements}: ${row.bad.what}` : row.bad.what;
            bad = { ...row.bad, what };
            onBadRow?.(bad);
          }
          before.line = element.line;
          if (bad && !onBadRow) break;
        }
        const block = { rows, first: positions[0] ?? 0, positions };
        if (rows.length > 0) yield* cut(columns ? project(block, columns) : block, batchRows);
        if (bad && !onBadRow) throw await this.badRow(0, bad);
      }
      scanner.end();
    } catch (error) {
      if (!(error instanceof ScanFailure)) throw error;
      const where = `${this.name}:${error.line}`;
      throw new KagurazakaError(
        "bad-data",
        `${where}: not a JSON array of objects: ${error.message} (byte ${error.at})`,
        { where, hint: error.hint },
      );
    }
  }
}

function rowOf(
  { text, line, column, isTooLarge }: ScannedElement,
  textErrors: "fail" | "replace",
): { row: Row } | { bad: BadRow } {
  const json = text.toString("utf8");
  const bad = (what: string, hint?: string, position = line): { bad: BadRow } => ({
    bad: { position, what, hint, text: json.slice(0, 65_536) },
  });
  if (isTooLarge) return bad("larger than 64 MB", "Put large contents into files and name those in the row.");
  if (textErrors === "fail" && !isUtf8(text)) {
    const { what, hint, lines } = placeOfInvalid(text, column);
    return bad(what, hint, line + lines);
  }
  try {
    const row = parseJson(json);
    if (typeof row !== "object" || row === null || Array.isArray(row))
      return bad(notObject(row), "Each element must be one JSON object.");
    if (json.includes("__proto__") || json.includes("\\u00")) checkKeys(row);
    return { row: row as Row };
  } catch (error) {
    return error instanceof BadLine ? bad(error.message, error.hint) : bad(...whyNotJson(json, error as Error));
  }
}
