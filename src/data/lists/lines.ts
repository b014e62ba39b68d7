import {
  badLine,
  decodeBlock,
  NEWLINE,
  notUtf8,
  type ReadTextOptions,
  readBlocks,
  withoutMark,
} from "../bytes/text-blocks.js";

export interface ReadLinesOptions extends ReadTextOptions {
  /** Lines end in NUL, as `find -print0` writes them, and nothing in them is special. @defaultValue false */
  readonly nullSeparated?: boolean;
}

const NUL = 0;

/** Smaller than for records: so many short lines are enough work for one turn of the reader. */
const CHUNK_BYTES = 1 << 18;

/**
 * The lines of a text file, in arrays, without their ends; sources as in `readJsonl`. Takes CRLF, a byte order mark and
 * a missing last newline; blank lines are passed over. The lines before a bad line are yielded before the error is thrown.
 *
 * @throws KagurazakaError `input-root` when the file cannot be opened; `generate-tasks`, with `where` = `file:line`, for
 * a line that is not UTF-8 or too long; `generate-tasks` for a file that cannot be read on
 */
export async function* readLines(source: string, options: ReadLinesOptions = {}): AsyncGenerator<string[]> {
  const { nullSeparated = false, chunkBytes = CHUNK_BYTES } = options;
  const separator = nullSeparated ? NUL : NEWLINE;
  let line = 0;
  for await (const bytes of readBlocks(source, { ...options, chunkBytes, separator, lineAt: () => line + 1 })) {
    const { text, isValid } = decodeBlock(bytes, separator);
    const all = (line === 0 && !nullSeparated ? withoutMark(text) : text).split(nullSeparated ? "\0" : "\n");
    // A separator ends a line: the empty text behind the last one is no line.
    if (all.at(-1) === "") all.pop();
    line += all.length;
    const lines = nullSeparated ? all.filter((one) => one !== "") : dropBlank(all);
    if (lines.length > 0) yield lines;
    if (!isValid) throw badLine(source, line + 1, notUtf8(bytes));
  }
}

const SPACE = 32;
const RETURN = 13;

/** In place: most files have nothing to drop. */
function dropBlank(lines: string[]): string[] {
  let kept = 0;
  for (let i = 0; i < lines.length; i++) {
    let line = lines[i]!;
    if (line.charCodeAt(line.length - 1) === RETURN) line = line.slice(0, -1);
    if (line.length === 0 || (line.charCodeAt(0) <= SPACE && line.trim() === "")) continue;
    lines[kept++] = line;
  }
  lines.length = kept;
  return lines;
}
