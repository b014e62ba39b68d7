import type { KeyBytes } from "../../contracts/chunk.js";

/** Lines that wait to be written to the segment, as UTF-8 in one reused buffer. */

const DONE_HEAD = Buffer.from('{"k":"');
const DONE_TAIL = Buffer.from('","s":"done","ms":');
const DIGIT_0 = 0x30;
/** Room for the text around the key, the widest number, brace and newline. */
const DONE_SPARE = DONE_HEAD.length + DONE_TAIL.length + 32;

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

  /**
   * `{"k":<key>,"s":"done","ms":<ms>}`, at several million a second: a key of plain ASCII is copied byte by byte.
   * @returns false, with nothing written, for a key that needs escapes or is not ASCII
   */
  appendPlainDone(key: string, ms: number): boolean {
    const length = key.length;
    if (this.bytes.length - this.size < length + DONE_SPARE) this.#reserve(length + DONE_SPARE);
    const bytes = this.bytes;
    let at = this.size;
    for (let i = 0; i < DONE_HEAD.length; i++) bytes[at++] = DONE_HEAD[i]!;
    for (let i = 0; i < length; i++) {
      const unit = key.charCodeAt(i);
      if (unit >= 0x7f || unit < 0x20 || unit === 0x22 || unit === 0x5c) return false;
      bytes[at++] = unit;
    }
    for (let i = 0; i < DONE_TAIL.length; i++) bytes[at++] = DONE_TAIL[i]!;
    at = writeMs(bytes, at, ms);
    bytes[at++] = 0x7d;
    bytes[at++] = 0x0a;
    this.size = at;
    return true;
  }

  /** The same for a key given as ASCII bytes that need no escapes. */
  appendDoneBytes({ bytes: name, start, length }: KeyBytes, ms: number): void {
    if (this.bytes.length - this.size < length + DONE_SPARE) this.#reserve(length + DONE_SPARE);
    const bytes = this.bytes;
    let at = this.size;
    for (let i = 0; i < DONE_HEAD.length; i++) bytes[at++] = DONE_HEAD[i]!;
    for (let i = 0; i < length; i++) bytes[at++] = name[start + i]!;
    for (let i = 0; i < DONE_TAIL.length; i++) bytes[at++] = DONE_TAIL[i]!;
    at = writeMs(bytes, at, ms);
    bytes[at++] = 0x7d;
    bytes[at++] = 0x0a;
    this.size = at;
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
