import { addByte, addBytes, addFour, CHECKSUM_BYTES, NO_BYTES, writeChecksum } from "../../base/checksum.js";
import type { KeyBytes } from "../../contracts/chunk.js";
import { addTail, HEAD_BYTES, HEAD_SUM, TAIL_BYTES, writeHead, writeTail } from "./done-text.js";

/** Lines that wait to be written to the segment, as UTF-8 in one reused buffer. */

const DIGIT_0 = 0x30;
/** Room for the text around the key, the widest number, checksum, brace and newline. */
const DONE_SPARE = HEAD_BYTES + TAIL_BYTES + CHECKSUM_BYTES + 32;

export class LineBuffer {
  bytes: Buffer;
  size = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  append(line: string): void {
    // UTF-8 takes at most three bytes per UTF-16 unit.
    this.#reserve(line.length * 3 + 1);
    this.size += this.bytes.write(line, this.size, "utf8");
    this.bytes[this.size++] = 0x0a;
  }

  /** An empty line: damage to a newline reaches one of its neighbours only. */
  appendGap(): void {
    this.append("");
  }

  /** The JSON of an object, with its checksum. @returns the bytes of the line, without the newline */
  appendChecked(json: string): number {
    this.#reserve(json.length * 3 + CHECKSUM_BYTES + 1);
    const start = this.size;
    // Without its closing brace, which comes after the checksum.
    const at = start + this.bytes.write(json, start, "utf8") - 1;
    this.size = writeChecksum(this.bytes, at, addBytes(NO_BYTES, this.bytes, start, at));
    this.bytes[this.size++] = 0x0a;
    return this.size - 1 - start;
  }

  /**
   * `{"k":<key>,"s":"done","ms":<ms>,"c":<checksum>}`, at several million a second: a key of plain ASCII is copied byte by byte.
   * @returns false, with nothing written, for a key that needs escapes or is not ASCII
   */
  appendPlainDone(key: string, ms: number): boolean {
    const length = key.length;
    if (this.bytes.length - this.size < length + DONE_SPARE) this.#reserve(length + DONE_SPARE);
    const bytes = this.bytes;
    let at = writeHead(bytes, this.size);
    let sum = HEAD_SUM;
    for (let i = 0; i < length; i++) {
      const unit = key.charCodeAt(i);
      if (unit >= 0x7f || unit < 0x20 || unit === 0x22 || unit === 0x5c) return false;
      bytes[at++] = unit;
      sum = addByte(sum, unit);
    }
    this.size = endDone(bytes, at, ms, sum);
    return true;
  }

  /** The same for a key given as ASCII bytes that need no escapes. */
  appendDoneBytes({ bytes: name, start, length }: KeyBytes, ms: number): void {
    if (this.bytes.length - this.size < length + DONE_SPARE) this.#reserve(length + DONE_SPARE);
    const bytes = this.bytes;
    let at = writeHead(bytes, this.size);
    let sum = HEAD_SUM;
    const end = start + length;
    let from = start;
    for (const whole = start + (length & ~3); from < whole; from += 4, at += 4) {
      const a = name[from]!;
      const b = name[from + 1]!;
      const c = name[from + 2]!;
      const d = name[from + 3]!;
      bytes[at] = a;
      bytes[at + 1] = b;
      bytes[at + 2] = c;
      bytes[at + 3] = d;
      sum = addFour(sum, a, b, c, d);
    }
    while (from < end) {
      const byte = name[from++]!;
      bytes[at++] = byte;
      sum = addByte(sum, byte);
    }
    this.size = endDone(bytes, at, ms, sum);
  }

  /** Removes the first `size` bytes; the rest moves to the front. */
  drop(size: number): void {
    this.bytes.copyWithin(0, size, this.size);
    this.size -= size;
  }

  /** Shrinks an empty buffer back to `capacity` after a large line. */
  shrink(capacity: number): void {
    if (this.size === 0 && this.bytes.length > capacity) this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  #reserve(more: number): void {
    if (this.bytes.length - this.size >= more) return;
    const next = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.size + more));
    this.bytes.copy(next, 0, 0, this.size);
    this.bytes = next;
  }
}

/** What follows upon the key. */
function endDone(bytes: Buffer, at: number, ms: number, sumOfKey: number): number {
  at = writeTail(bytes, at);
  const end = writeMs(bytes, at, ms);
  let sum = addTail(sumOfKey);
  while (at < end) sum = addByte(sum, bytes[at++]!);
  at = writeChecksum(bytes, end, sum);
  bytes[at] = 0x0a;
  return at + 1;
}

/** Milliseconds with one decimal, as JSON writes them: `0`, `1.2`, `35`. Anything odd (NaN, negative) is 0. */
export function roundMs(ms: number): number {
  return ms > 0 && ms < Number.MAX_SAFE_INTEGER ? Math.round(ms * 10) / 10 : 0;
}

function writeMs(bytes: Buffer, at: number, ms: number): number {
  if (!(ms > 0)) {
    bytes[at] = DIGIT_0;
    return at + 1;
  }
  if (ms >= 100_000) return at + bytes.write(String(roundMs(ms)), at, "latin1");
  const tenths = Math.round(ms * 10);
  const whole = (tenths / 10) | 0;
  let scale = 1;
  while (scale * 10 <= whole) scale *= 10;
  for (let rest = whole; scale >= 1; scale = (scale / 10) | 0) {
    const digit = (rest / scale) | 0;
    bytes[at++] = DIGIT_0 + digit;
    rest -= digit * scale;
  }
  const tenth = tenths - whole * 10;
  if (tenth > 0) {
    bytes[at++] = 0x2e;
    bytes[at++] = DIGIT_0 + tenth;
  }
  return at;
}
