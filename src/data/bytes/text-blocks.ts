import { isUtf8 } from "node:buffer";
import { KagurazakaError } from "../../base/errors.js";
import { type ReadChunksOptions, readChunks } from "./read-chunks.js";
import { nameOfSource } from "./source-name.js";

/** Options of all readers of lines. */
export interface ReadTextOptions extends ReadChunksOptions {
  /** A longer line is an error rather than a full memory (counted in characters where the line lies inside one chunk). @defaultValue 64 MiB */
  readonly maxLineBytes?: number;
}

export const DEFAULT_MAX_LINE_BYTES = 64 << 20;
export const NEWLINE = 10;

/** What is wrong with a line. */
export interface LineFailure {
  readonly what: string;
  readonly hint: string;
  readonly cause?: unknown;
}

/**
 * Whole lines, as many as end in one chunk; the last line may have no newline. Copies only the rest of a chunk behind its last
 * newline. `lineAt` is the line that the next block begins with, for errors.
 */
export async function* readBlocks(
  source: string,
  options: ReadTextOptions & { readonly separator?: number; lineAt(): number },
): AsyncGenerator<Buffer> {
  const { separator = NEWLINE, maxLineBytes = DEFAULT_MAX_LINE_BYTES } = options;
  /** The beginning of a line whose end is still to come. */
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for await (const chunk of readChunks(source, options)) {
    const end = chunk.lastIndexOf(separator) + 1;
    if (end > 0) {
      const whole = chunk.subarray(0, end);
      yield begunBytes === 0 ? whole : Buffer.concat([...begun, whole]);
      begun = [];
      begunBytes = 0;
    }
    if (end === chunk.length) continue;
    // Copied: the next chunk is read into the same memory.
    begun.push(Buffer.from(chunk.subarray(end)));
    begunBytes += chunk.length - end;
    if (begunBytes > maxLineBytes) throw badLine(source, options.lineAt(), tooLong(maxLineBytes));
  }
  if (begunBytes > 0) yield Buffer.concat(begun);
}

/**
 * A block as far as it is UTF-8, in whole lines; the block itself when all of it is. A newline byte never lies inside a
 * character, so cutting there is safe.
 */
export function validPart(bytes: Buffer, separator = NEWLINE): Buffer {
  return isUtf8(bytes) ? bytes : bytes.subarray(0, startOfInvalidLine(bytes, separator));
}

export function decodeBlock(bytes: Buffer, separator = NEWLINE): { text: string; isValid: boolean } {
  const valid = validPart(bytes, separator);
  return { text: valid.toString("utf8"), isValid: valid === bytes };
}

/** A byte order mark is no part of a text's first line. */
export function withoutMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

function startOfInvalidLine(bytes: Buffer, separator: number): number {
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(separator, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    if (!isUtf8(bytes.subarray(start, end))) return start;
    start = end;
  }
}

export function badLine(source: string, line: number, { what, hint, cause }: LineFailure): KagurazakaError {
  const where = `${nameOfSource(source)}:${line}`;
  return new KagurazakaError("generate-tasks", `${where}: ${what}`, { where, hint, cause });
}

export function tooLong(maxLineBytes: number): LineFailure {
  return {
    what: `the line is longer than ${maxLineBytes} bytes`,
    hint: "Put large contents into files and name those in the record.",
  };
}

/** Bytes that begin like gzip or zstd are most likely packed, in a file whose name does not show it. */
export function notUtf8(bytes: Buffer): LineFailure {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const isZstd = bytes.length >= 4 && bytes.readUInt32LE(0) === 0xfd2fb528;
  const packed = isGzip ? ["gzip", ".gz", "zcat"] : isZstd ? ["zstd", ".zst", "zstd -dc"] : undefined;
  if (!packed) return { what: "not valid UTF-8", hint: "Convert the file first, e.g. with iconv." };
  const [format, ext, command] = packed;
  return {
    what: `not text, but ${format}`,
    hint: `Give the file a name that ends in ${ext}, or pipe it through ${command}.`,
  };
}
