import { mayHaveLargeIntegers, parseJson } from "../../base/exact-json.js";
import {
  badLine,
  DEFAULT_MAX_LINE_BYTES,
  decodeBlock,
  type LineFailure,
  notUtf8,
  type ReadTextOptions,
  readBlocks,
  tooLong,
  withoutMark,
} from "../bytes/text-blocks.js";

export type ReadJsonlOptions = ReadTextOptions;

/** One line. `line` counts from 1, blank lines too. */
export interface JsonlRecord {
  readonly value: unknown;
  readonly line: number;
}

/**
 * The values of a file of JSON lines, in arrays; `.gz` (several members too) and `.zst` by name, `-` for standard input.
 * Integers that a number cannot hold are `bigint`. Takes CRLF, a byte order mark, blank lines and a missing last newline. The values before a bad line are yielded before the
 * error is thrown.
 *
 * @throws KagurazakaError `input-root` when the file cannot be opened; `generate-tasks`, with `where` = `file:line`, for
 * a line that is not JSON, not UTF-8 or too long; `generate-tasks` for a file that cannot be read on
 */
export async function* readJsonl(source: string, options: ReadJsonlOptions = {}): AsyncGenerator<JsonlRecord[]> {
  const { maxLineBytes = DEFAULT_MAX_LINE_BYTES } = options;
  let line = 0;
  for await (const bytes of readBlocks(source, { ...options, lineAt: () => line + 1 })) {
    const block = parseBlock(bytes, line, maxLineBytes);
    line = block.lastLine;
    if (block.records.length > 0) yield block.records;
    if (block.failure) throw badLine(source, line, block.failure);
  }
}

interface Block {
  readonly records: JsonlRecord[];
  readonly lastLine: number;
  readonly failure?: LineFailure;
}

/** Whole lines; `line` lines came before them. */
function parseBlock(bytes: Buffer, line: number, maxLineBytes: number): Block {
  const records: JsonlRecord[] = [];
  const decoded = decodeBlock(bytes);
  const text = line === 0 ? withoutMark(decoded.text) : decoded.text;
  const parse = mayHaveLargeIntegers(text) ? parseJson : JSON.parse;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const one = text.slice(start, newline === -1 ? text.length : newline);
    start += one.length + 1;
    line++;
    if (one.length > maxLineBytes) return { records, lastLine: line, failure: tooLong(maxLineBytes) };
    // Blanks stand below "!": most lines begin with a brace and need no closer look.
    if (one.length === 0 || (one.charCodeAt(0) < 33 && one.trim() === "")) continue;
    try {
      records.push({ value: parse(one), line });
    } catch (cause) {
      const hint = `Each line must be one JSON value; this one begins ${JSON.stringify(one.slice(0, 60))}.`;
      const { message } = cause as Error;
      const what = cause instanceof RangeError ? message : `not JSON: ${message}`;
      return { records, lastLine: line, failure: { what, hint, cause } };
    }
  }
  if (decoded.isValid) return { records, lastLine: line };
  return { records, lastLine: line + 1, failure: notUtf8(bytes) };
}
