import { type LedgerLine, parseLine, type RecordedStatus } from "./lines.js";
import type { Block } from "./read-segment.js";

/**
 * Parses a block of a segment. The two frequent kinds of lines, `done` and `filtered` with plain ASCII keys, are recognised
 * by their bytes and reported as a byte range; all others go through `JSON.parse`. Lines with other spaces or another order
 * of fields are only slower.
 */
export interface LineSink {
  /** The key is the ASCII text `bytes[keyStart, keyEnd)`. */
  plain(status: RecordedStatus, bytes: Uint8Array, keyStart: number, keyEnd: number): void;
  /** Any other JSON object, `length` bytes at `offset` of the file. */
  parsed(line: Partial<LedgerLine>, offset: number, length: number): void;
  /** Not a JSON object. */
  invalid?(offset: number): void;
  /** An incomplete last line. */
  torn?(offset: number): void;
}

const HEAD = Buffer.from('{"k":"');
/** The number of bytes before the key in a plain line. */
export const PLAIN_HEAD_BYTES = HEAD.length;
const DONE = Buffer.from('","s":"done","ms":');
const FILTERED = Buffer.from('","s":"filtered","ms":');
const REASON = Buffer.from(',"reason":"');
const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CLOSE = 0x7d;

export function scanLines(block: Block, sink: LineSink): void {
  const { bytes, end } = block;
  let at = 0;
  while (at < end) {
    const next = block.last ? 0 : scanPlain(bytes, at, sink);
    at = next > 0 ? next : scanAny(block, at, sink);
  }
}

/** Returns the start of the next line, or 0 if this line is not plain. The last newline of the block ends every loop. */
function scanPlain(bytes: Buffer, start: number, sink: LineSink): number {
  if (!startsWith(bytes, start, HEAD)) return 0;
  const keyStart = start + HEAD.length;
  const keyEnd = endOfText(bytes, keyStart, 0x7f);
  if (bytes[keyEnd] !== QUOTE) return 0;
  if (startsWith(bytes, keyEnd, DONE)) {
    const at = endOfNumber(bytes, keyEnd + DONE.length);
    if (bytes[at] !== CLOSE || bytes[at + 1] !== NEWLINE) return 0;
    sink.plain("done", bytes, keyStart, keyEnd);
    return at + 2;
  }
  if (!startsWith(bytes, keyEnd, FILTERED)) return 0;
  const afterMs = endOfNumber(bytes, keyEnd + FILTERED.length);
  if (!startsWith(bytes, afterMs, REASON)) return 0;
  const at = endOfText(bytes, afterMs + REASON.length, 0xff);
  if (bytes[at] !== QUOTE || bytes[at + 1] !== CLOSE || bytes[at + 2] !== NEWLINE) return 0;
  sink.plain("filtered", bytes, keyStart, keyEnd);
  return at + 3;
}

function scanAny(block: Block, start: number, sink: LineSink): number {
  const { bytes, last } = block;
  const lineEnd = last ? block.end : bytes.indexOf(NEWLINE, start);
  const offset = block.offset + start;
  // A writer puts an empty line after an incomplete one.
  if (lineEnd > start) {
    const line = parseLine(bytes.toString("utf8", start, lineEnd));
    if (line !== undefined) sink.parsed(line, offset, lineEnd - start);
    else if (last) sink.torn?.(offset);
    else sink.invalid?.(offset);
  }
  return lineEnd + 1;
}

function startsWith(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** The first byte from `at` that is a quote, a backslash, a control character or above `max`. */
function endOfText(bytes: Buffer, at: number, max: number): number {
  for (;;) {
    const byte = bytes[at]!;
    if (byte === QUOTE || byte === BACKSLASH || byte < 0x20 || byte > max) return at;
    at++;
  }
}

/** The first byte from `at` that is neither a digit nor a point. */
function endOfNumber(bytes: Buffer, at: number): number {
  const start = at;
  for (;;) {
    const byte = bytes[at]!;
    if ((byte < 0x30 || byte > 0x39) && byte !== 0x2e) return at === start ? start - 1 : at;
    at++;
  }
}
