import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { KagurazakaError } from "../base/errors.js";

export interface ReadJsonlOptions {
  /** Bytes read at once; one array holds the lines that end in one chunk. @defaultValue 1 MiB */
  readonly chunkBytes?: number;
  /** A longer line is an error rather than a full memory (counted in characters where the line lies inside one chunk). @defaultValue 64 MiB */
  readonly maxLineBytes?: number;
  /** Stops at the next chunk, by throwing the signal's reason. */
  readonly signal?: AbortSignal;
}

/** One line. `line` counts from 1, blank lines too. */
export interface JsonlRecord {
  readonly value: unknown;
  readonly line: number;
}

/**
 * The values of a file of JSON lines, in arrays; `.gz` by name (several members too). Takes CRLF, a byte order mark,
 * blank lines and a missing last newline. What stands before a bad line comes out before the error does.
 *
 * @throws KagurazakaError `input-root` when the file cannot be opened; `generate-tasks`, with `where` = `file:line`, for
 * a line that is not JSON, not UTF-8 or too long; `generate-tasks` for a file that cannot be read on
 */
export async function* readJsonl(path: string, options: ReadJsonlOptions = {}): AsyncGenerator<JsonlRecord[]> {
  const { chunkBytes = 1 << 20, maxLineBytes = 64 << 20, signal } = options;
  let line = 0;
  /** The beginning of a line whose end is still to come. */
  let begun: Buffer[] = [];
  let begunBytes = 0;

  function* take(bytes: Buffer): Generator<JsonlRecord[]> {
    const block = parseBlock(bytes, line, maxLineBytes);
    line = block.lastLine;
    if (block.records.length > 0) yield block.records;
    if (block.failure) throw badLine(path, line, block.failure);
  }

  for await (const chunk of readChunks(path, chunkBytes)) {
    signal?.throwIfAborted();
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const whole = chunk.subarray(0, end);
      yield* take(begunBytes === 0 ? whole : Buffer.concat([...begun, whole]));
      begun = [];
      begunBytes = 0;
    }
    if (end === chunk.length) continue;
    // Copied: the next chunk is read into the same memory.
    begun.push(Buffer.from(chunk.subarray(end)));
    begunBytes += chunk.length - end;
    if (begunBytes > maxLineBytes) throw badLine(path, line + 1, tooLong(maxLineBytes));
  }
  if (begunBytes > 0) yield* take(Buffer.concat(begun));
}

const NEWLINE = 10;

interface Failure {
  readonly what: string;
  readonly hint: string;
  readonly cause?: unknown;
}

interface Block {
  readonly records: JsonlRecord[];
  readonly lastLine: number;
  readonly failure?: Failure;
}

/** Whole lines of UTF-8, `line` of them gone before. A newline byte never lies inside a character, so cutting there is safe. */
function parseBlock(bytes: Buffer, line: number, maxLineBytes: number): Block {
  const records: JsonlRecord[] = [];
  const valid = isUtf8(bytes) ? bytes : bytes.subarray(0, startOfInvalidLine(bytes));
  const text = valid.toString("utf8", line === 0 && hasByteOrderMark(valid) ? 3 : 0);
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const one = text.slice(start, newline === -1 ? text.length : newline);
    start += one.length + 1;
    line++;
    if (one.length > maxLineBytes) return { records, lastLine: line, failure: tooLong(maxLineBytes) };
    // Blanks stand below "!": most lines begin with a brace and need no closer look.
    if (one.length === 0 || (one.charCodeAt(0) < 33 && one.trim() === "")) continue;
    try {
      records.push({ value: JSON.parse(one), line });
    } catch (cause) {
      const hint = `Each line must be one JSON value; this one begins ${JSON.stringify(one.slice(0, 60))}.`;
      return { records, lastLine: line, failure: { what: `not JSON: ${(cause as Error).message}`, hint, cause } };
    }
  }
  if (valid === bytes) return { records, lastLine: line };
  return {
    records,
    lastLine: line + 1,
    failure: { what: "not valid UTF-8", hint: "Convert the file first, e.g. with iconv." },
  };
}

function tooLong(maxLineBytes: number): Failure {
  return {
    what: `the line is longer than ${maxLineBytes} bytes`,
    hint: "Put large contents into files and name those in the record.",
  };
}

function badLine(path: string, line: number, { what, hint, cause }: Failure): KagurazakaError {
  return new KagurazakaError("generate-tasks", `${path}:${line}: ${what}`, { where: `${path}:${line}`, hint, cause });
}

function hasByteOrderMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function startOfInvalidLine(bytes: Buffer): number {
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    if (!isUtf8(bytes.subarray(start, end))) return start;
    start = end;
  }
}

/** A chunk is only good until the next one is asked for. */
async function* readChunks(path: string, chunkBytes: number): AsyncGenerator<Buffer> {
  const file = await openForReading(path);
  try {
    if (path.endsWith(".gz")) yield* readUnzipped(path, chunkBytes);
    else yield* readPlain(file, chunkBytes);
  } catch (error) {
    if (KagurazakaError.is(error)) throw error;
    throw new KagurazakaError("generate-tasks", `cannot read ${path} to its end: ${(error as Error).message}`, {
      where: path,
      hint: "The file may be cut off or damaged.",
      cause: error,
    });
  } finally {
    await file.close();
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    throw new KagurazakaError("input-root", `cannot open ${path}: ${(error as Error).message}`, {
      where: path,
      hint: "Relative paths are relative to the working directory.",
      cause: error,
    });
  }
}

async function* readPlain(file: FileHandle, chunkBytes: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* readUnzipped(path: string, chunkBytes: number): AsyncGenerator<Buffer> {
  const { createGunzip } = await import("node:zlib");
  const unzipped = createGunzip({ chunkSize: Math.max(64, chunkBytes) });
  // The error arrives at the reader of `unzipped`; here it would only arrive a second time.
  pipeline(createReadStream(path, { highWaterMark: 1 << 18 }), unzipped, () => {});
  yield* unzipped;
}
