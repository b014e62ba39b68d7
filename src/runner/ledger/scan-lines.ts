import { addBytes, CHECKSUM_BYTES, checkLine, isChecksum, isChecksumAt, NO_BYTES } from "../../base/checksum.js";
import { addTail, HEAD_BYTES, HEAD_SUM, isHead, isTail, TAIL_BYTES } from "./done-text.js";
import { copiedHeader, isHeader, type LedgerLine, type RecordedStatus } from "./lines.js";
import type { Block } from "./read-segment.js";
import { parseSound } from "./sound-line.js";

/**
 * Parses a block of a segment. The two frequent kinds of lines, `done` and `filtered` with plain ASCII keys, are recognised
 * by their bytes and reported as a byte range; all others go through `JSON.parse`. Lines with other spaces or another order
 * of fields are only slower.
 */
export interface LineSink {
  /** Every line has a checksum, as the header that was read last says; `scanLines` keeps it up to date. */
  isChecked: boolean;
  /** The key is the ASCII text `bytes[keyStart, keyEnd)`. */
  plain(status: RecordedStatus, bytes: Uint8Array, keyStart: number, keyEnd: number): void;
  /** Any other JSON object, `length` bytes at `offset` of the file. */
  parsed(line: Partial<LedgerLine>, offset: number, length: number): void;
  /** Not the JSON object that was written. */
  damaged?(offset: number): void;
  /** An incomplete last line: the writer was killed. */
  torn?(offset: number): void;
}

const FILTERED = Buffer.from('","s":"filtered","ms":');
const REASON = Buffer.from(',"reason":"');
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
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
  if (!isHead(bytes, start)) return 0;
  const keyStart = start + HEAD_BYTES;
  const keyEnd = endOfText(bytes, keyStart, plainAscii);
  if (bytes[keyEnd] !== QUOTE) return 0;
  let status: RecordedStatus = "done";
  let sum = addBytes(HEAD_SUM, bytes, keyStart, keyEnd);
  let summed = keyEnd;
  let at: number;
  if (isTail(bytes, keyEnd)) {
    sum = addTail(sum);
    summed += TAIL_BYTES;
    at = endOfNumber(bytes, summed);
  } else if (startsWith(bytes, keyEnd, FILTERED)) {
    status = "filtered";
    const afterMs = endOfNumber(bytes, keyEnd + FILTERED.length);
    if (!startsWith(bytes, afterMs, REASON)) return 0;
    at = endOfText(bytes, afterMs + REASON.length, plainText);
    if (bytes[at++] !== QUOTE) return 0;
  } else return 0;
  if (isChecksumAt(bytes, at)) {
    if (!isChecksum(bytes, at, addBytes(sum, bytes, summed, at))) return 0;
    at += CHECKSUM_BYTES;
  } else if (sink.isChecked) return 0;
  if (bytes[at] !== CLOSE || bytes[at + 1] !== NEWLINE) return 0;
  sink.plain(status, bytes, keyStart, keyEnd);
  return at + 2;
}

function scanAny(block: Block, start: number, sink: LineSink): number {
  const { bytes, last } = block;
  const lineEnd = last ? block.end : bytes.indexOf(NEWLINE, start);
  const offset = block.offset + start;
  // Empty lines limit the damage to a newline.
  if (lineEnd === start || (lineEnd === start + 1 && bytes[start] === RETURN)) return lineEnd + 1;
  if (tell(block, start, lineEnd, sink)) return lineEnd + 1;
  if (last && isCutOff(bytes, start, lineEnd, sink.isChecked)) sink.torn?.(offset);
  else sink.damaged?.(offset);
  for (const [from, to] of partsAround(bytes, start, lineEnd)) tell(block, from, to, sink);
  return lineEnd + 1;
}

/** @returns false where the line is damaged */
function tell({ bytes, offset }: Block, start: number, lineEnd: number, sink: LineSink): boolean {
  // A carriage return before the newline is no damage: some tools change line ends.
  const end = bytes[lineEnd - 1] === RETURN ? lineEnd - 1 : lineEnd;
  const line = parseSound(bytes, start, end, sink.isChecked);
  if (line === undefined) return false;
  const header = isHeader(line) ? line : copiedHeader(line);
  if (header !== undefined) sink.isChecked = header.c !== undefined;
  sink.parsed(line, offset + start, end - start);
  return true;
}

/** The sound lines around one odd byte, where nothing but a newline is damaged. */
function partsAround(bytes: Buffer, start: number, end: number): (readonly [number, number])[] {
  const isSound = (from: number, to: number): boolean => checkLine(bytes, from, to) === "sound";
  if (isSound(start, end - 1)) return [[start, end - 1]];
  if (isSound(start + 1, end)) return [[start + 1, end]];
  let sum = NO_BYTES;
  let summed = start;
  for (let at = bytes.indexOf(CLOSE, start); at >= 0 && at < end - 2; at = bytes.indexOf(CLOSE, at + 1)) {
    const field = at - CHECKSUM_BYTES;
    if (field <= summed || bytes[at + 2] !== OPEN || !isChecksumAt(bytes, field)) continue;
    sum = addBytes(sum, bytes, summed, field);
    summed = field;
    if (!isChecksum(bytes, field, sum)) continue;
    const first = [start, at + 1] as const;
    return isSound(at + 2, end) ? [first, [at + 2, end]] : [first];
  }
  return [];
}

/** Whether the writer was killed in the middle of a last line. Else its newline or a byte of it was damaged. */
function isCutOff(bytes: Buffer, start: number, end: number, isChecked: boolean): boolean {
  // A file system may leave zeros where a write was lost; what was written in part has none.
  for (let at = start; at < end; at++) if (bytes[at]! < 0x20) return false;
  // With one odd byte it still has its end, or one byte more: what was a newline.
  if (bytes[end - 1] !== CLOSE && bytes[end - 2] !== CLOSE) return true;
  return checkLine(bytes, start, end) !== "wrong" && parseSound(bytes, start, end - 1, isChecked) === undefined;
}

function startsWith(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** The bytes of text that needs no escapes: ASCII, and any. */
const plainAscii = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte >= 0x20 && byte < 0x80 && !isEscaped(byte)),
);
const plainText = Uint8Array.from({ length: 256 }, (_, byte) => Number(byte >= 0x20 && !isEscaped(byte)));

function isEscaped(byte: number): boolean {
  return byte === QUOTE || byte === BACKSLASH;
}

/** The first byte from `at` that is not in `plain`. */
function endOfText(bytes: Buffer, at: number, plain: Uint8Array): number {
  while (plain[bytes[at]!] === 1) at++;
  return at;
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
