/**
 * The checksum at the end of a line of JSON, as its last field:
 *
 *     {"k":"a.txt","s":"done","ms":1.2,"c":"pQ3f_A"}
 *      └───────── checked ────────────┘
 *
 * The bytes before it, read as the digits of a number of base `BASE` modulo 2^32, with a one in front. `BASE` is odd: one
 * changed byte always shows, any other damage but for one in four thousand million times. Text that every line has costs one
 * multiplication.
 */
const BASE = 0x85ebca77 | 0;
const BASE_2 = Math.imul(BASE, BASE);
const BASE_3 = Math.imul(BASE_2, BASE);
const BASE_4 = Math.imul(BASE_2, BASE_2);

/** How much longer a line becomes: `,"c":"`, six digits, and a quote. */
export const CHECKSUM_BYTES = 13;
const QUOTE = 0x22;
const CLOSE = 0x7d;
const alphabet = Uint8Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", (digit) =>
  digit.charCodeAt(0),
);

/** The checksum of no bytes. */
export const NO_BYTES = 1;

export const addByte = (sum: number, byte: number): number => (Math.imul(sum, BASE) + byte) | 0;

/** Four bytes at once: one of them need not wait for the one before. */
export const addFour = (sum: number, a: number, b: number, c: number, d: number): number =>
  (Math.imul(sum, BASE_4) + Math.imul(a, BASE_3) + Math.imul(b, BASE_2) + Math.imul(c, BASE) + d) | 0;

export function addBytes(sum: number, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (const whole = start + ((end - start) & ~3); at < whole; at += 4)
    sum = addFour(sum, bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
  while (at < end) sum = addByte(sum, bytes[at++]!);
  return sum;
}

/** Adds a text that is always the same. */
export function createAdder(text: Uint8Array): (sum: number) => number {
  const factor = text.reduce((product) => Math.imul(product, BASE), 1);
  const addend = addBytes(0, text, 0, text.length);
  return (sum) => (Math.imul(sum, factor) + addend) | 0;
}

/** Writes the field and the closing brace. @returns the end of the line */
export function writeChecksum(bytes: Uint8Array, at: number, sum: number): number {
  // ,"c":"
  bytes[at] = 0x2c;
  bytes[at + 1] = QUOTE;
  bytes[at + 2] = 0x63;
  bytes[at + 3] = QUOTE;
  bytes[at + 4] = 0x3a;
  bytes[at + 5] = QUOTE;
  bytes[at + 6] = alphabet[sum >>> 26]!;
  bytes[at + 7] = alphabet[(sum >>> 20) & 63]!;
  bytes[at + 8] = alphabet[(sum >>> 14) & 63]!;
  bytes[at + 9] = alphabet[(sum >>> 8) & 63]!;
  bytes[at + 10] = alphabet[(sum >>> 2) & 63]!;
  bytes[at + 11] = alphabet[sum & 3]!;
  bytes[at + 12] = QUOTE;
  bytes[at + 13] = CLOSE;
  return at + CHECKSUM_BYTES + 1;
}

/** The JSON of an object, which has fields, with its checksum. */
export function withChecksum(json: string): string {
  const size = Buffer.byteLength(json) - 1;
  const bytes = Buffer.allocUnsafe(size + CHECKSUM_BYTES + 1);
  bytes.write(json, "utf8");
  writeChecksum(bytes, size, addBytes(NO_BYTES, bytes, 0, size));
  return bytes.toString("utf8");
}

/**
 * `none`: the line in `bytes[start, end)` does not end with a checksum. A field that is nearly one is a damaged one, even if
 * the line is JSON all the same.
 */
export function checkLine(bytes: Uint8Array, start: number, end: number): "sound" | "none" | "wrong" {
  const at = end - CHECKSUM_BYTES - 1;
  if (at <= start) return "none";
  if (isChecksumAt(bytes, at)) return isChecksum(bytes, at, addBytes(NO_BYTES, bytes, start, at)) ? "sound" : "wrong";
  const asWritten = syntax.filter(([offset, byte]) => bytes[at + offset] === byte).length;
  return asWritten >= syntax.length - 2 ? "wrong" : "none";
}

/** The bytes around the digits. */
const syntax = [...Buffer.from(',"c":"      "}')].flatMap((byte, offset) =>
  byte === 0x20 ? [] : [[offset, byte] as const],
);

/** Whether a field with a checksum, whatever it is, and a closing brace begin here. */
export function isChecksumAt(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x2c &&
    bytes[at + 1] === QUOTE &&
    bytes[at + 2] === 0x63 &&
    bytes[at + 3] === QUOTE &&
    bytes[at + 4] === 0x3a &&
    bytes[at + 5] === QUOTE &&
    bytes[at + 12] === QUOTE &&
    bytes[at + CHECKSUM_BYTES] === CLOSE
  );
}

/** Whether the field that begins here has this checksum. */
export function isChecksum(bytes: Uint8Array, at: number, sum: number): boolean {
  return (
    bytes[at + 6] === alphabet[sum >>> 26] &&
    bytes[at + 7] === alphabet[(sum >>> 20) & 63] &&
    bytes[at + 8] === alphabet[(sum >>> 14) & 63] &&
    bytes[at + 9] === alphabet[(sum >>> 8) & 63] &&
    bytes[at + 10] === alphabet[(sum >>> 2) & 63] &&
    bytes[at + 11] === alphabet[sum & 3]
  );
}
