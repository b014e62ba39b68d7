import { type BinaryLike, createHash } from "node:crypto";

/**
 * The hash of keys, for sampling, shards, fingerprints in tables, and names of records without a key.
 *
 * MurmurHash3_x86_128 (Austin Appleby, public domain, smhasher `MurmurHash3.cpp`), seed 0, over the text's UTF-16 code
 * units as little-endian bytes. Not cryptographic.
 *
 * Each use has bits of its own, so that a selection by one is evenly spread over the others: `hashUnit` cells 0 and 1,
 * `shardOf` cell 3, tables the two lanes of `fingerprint*`, which are cells 1 and 2 before cell 0 is added to them.
 */
const cells = new Uint32Array(4);

const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;

/** The four cells of the hash. The array is shared: read it before the next call of any function here. */
export function hashText(text: string): Uint32Array {
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  const length = text.length;
  let i = 0;
  for (const whole = length & ~7; i < whole; i += 8) {
    let k = Math.imul(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16), C1);
    k = Math.imul((k << 15) | (k >>> 17), C2);
    h1 ^= k;
    h1 = (Math.imul(((h1 << 19) | (h1 >>> 13)) + h2, 5) + 0x561ccd1b) | 0;
    k = Math.imul(text.charCodeAt(i + 2) | (text.charCodeAt(i + 3) << 16), C2);
    k = Math.imul((k << 16) | (k >>> 16), C3);
    h2 ^= k;
    h2 = (Math.imul(((h2 << 17) | (h2 >>> 15)) + h3, 5) + 0x0bcaa747) | 0;
    k = Math.imul(text.charCodeAt(i + 4) | (text.charCodeAt(i + 5) << 16), C3);
    k = Math.imul((k << 17) | (k >>> 15), C4);
    h3 ^= k;
    h3 = (Math.imul(((h3 << 15) | (h3 >>> 17)) + h4, 5) + 0x96cd1c35) | 0;
    k = Math.imul(text.charCodeAt(i + 6) | (text.charCodeAt(i + 7) << 16), C4);
    k = Math.imul((k << 18) | (k >>> 14), C1);
    h4 ^= k;
    h4 = (Math.imul(((h4 << 13) | (h4 >>> 19)) + h1, 5) + 0x32ac3b17) | 0;
  }
  // charCodeAt past the end is NaN, which `|` takes as 0: the algorithm's value for missing bytes.
  const k1 = i < length ? text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16) : 0;
  const k2 = i + 2 < length ? text.charCodeAt(i + 2) | (text.charCodeAt(i + 3) << 16) : 0;
  const k3 = i + 4 < length ? text.charCodeAt(i + 4) | (text.charCodeAt(i + 5) << 16) : 0;
  const k4 = i + 6 < length ? text.charCodeAt(i + 6) : 0;
  return finish(h1, h2, h3, h4, k1, k2, k3, k4, length * 2);
}

/** `hashText` of the ASCII text in `bytes[start, end)`, without making a string. */
export function hashAsciiBytes(bytes: Uint8Array, start: number, end: number): Uint32Array {
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  let i = start;
  for (const whole = start + ((end - start) & ~7); i < whole; i += 8) {
    let k = Math.imul(bytes[i]! | (bytes[i + 1]! << 16), C1);
    k = Math.imul((k << 15) | (k >>> 17), C2);
    h1 ^= k;
    h1 = (Math.imul(((h1 << 19) | (h1 >>> 13)) + h2, 5) + 0x561ccd1b) | 0;
    k = Math.imul(bytes[i + 2]! | (bytes[i + 3]! << 16), C2);
    k = Math.imul((k << 16) | (k >>> 16), C3);
    h2 ^= k;
    h2 = (Math.imul(((h2 << 17) | (h2 >>> 15)) + h3, 5) + 0x0bcaa747) | 0;
    k = Math.imul(bytes[i + 4]! | (bytes[i + 5]! << 16), C3);
    k = Math.imul((k << 17) | (k >>> 15), C4);
    h3 ^= k;
    h3 = (Math.imul(((h3 << 15) | (h3 >>> 17)) + h4, 5) + 0x96cd1c35) | 0;
    k = Math.imul(bytes[i + 6]! | (bytes[i + 7]! << 16), C4);
    k = Math.imul((k << 18) | (k >>> 14), C1);
    h4 ^= k;
    h4 = (Math.imul(((h4 << 13) | (h4 >>> 19)) + h1, 5) + 0x32ac3b17) | 0;
  }
  const at = (index: number): number => (index < end ? bytes[index]! : 0);
  const k1 = i < end ? at(i) | (at(i + 1) << 16) : 0;
  const k2 = i + 2 < end ? at(i + 2) | (at(i + 3) << 16) : 0;
  const k3 = i + 4 < end ? at(i + 4) | (at(i + 5) << 16) : 0;
  const k4 = i + 6 < end ? at(i + 6) : 0;
  return finish(h1, h2, h3, h4, k1, k2, k3, k4, (end - start) * 2);
}

/** The tail and the final mixing. A lane of zeros changes nothing, so all four are mixed in always. */
function finish(
  h1: number,
  h2: number,
  h3: number,
  h4: number,
  k1: number,
  k2: number,
  k3: number,
  k4: number,
  bytes: number,
): Uint32Array {
  let k = Math.imul(k4, C4);
  h4 ^= Math.imul((k << 18) | (k >>> 14), C1) ^ bytes;
  k = Math.imul(k3, C3);
  h3 ^= Math.imul((k << 17) | (k >>> 15), C4) ^ bytes;
  k = Math.imul(k2, C2);
  h2 ^= Math.imul((k << 16) | (k >>> 16), C3) ^ bytes;
  k = Math.imul(k1, C1);
  h1 ^= Math.imul((k << 15) | (k >>> 17), C2) ^ bytes;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = avalanche((h2 + h1) | 0);
  h3 = avalanche((h3 + h1) | 0);
  h4 = avalanche((h4 + h1) | 0);
  h1 = (avalanche(h1) + h2 + h3 + h4) | 0;
  cells[0] = h1;
  cells[1] = h2 + h1;
  cells[2] = h3 + h1;
  cells[3] = h4 + h1;
  return cells;
}

function avalanche(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * A fingerprint of 64 bits, in two lanes. Cell 0 is subtracted again, because cells 1 to 3 of a text of one or two characters
 * are equal; the lanes differ for all texts of up to four characters.
 */
export const fingerprintLow = (hash: Uint32Array): number => (hash[1]! - hash[0]!) >>> 0;
export const fingerprintHigh = (hash: Uint32Array): number => (hash[2]! - hash[0]!) >>> 0;

/** 32 hexadecimal digits. */
export function hashHex(text: string): string {
  const hash = hashText(text);
  let out = "";
  for (let i = 0; i < 4; i++) out += hash[i]!.toString(16).padStart(8, "0");
  return out;
}

const digits = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
const digit = (cell: number, shift: number): number => digits[(cell >>> shift) & 15]!;

/** Hexadecimal digits of a name made from a hash. 96 bits: two of 10M records share one once in 10^15 runs. */
export const NAME_DIGITS = 24;

/** The name of a record without a key, from the hash of its canonical JSON. */
export function nameOfHash(hash: Uint32Array): string {
  const bytes = Buffer.allocUnsafe(NAME_DIGITS);
  writeNameOfHash(hash, 0, bytes, 0);
  return bytes.toString("latin1");
}

/** The same as ASCII bytes, from the hash in `hashes[cell]` and the cells behind it. */
export function writeNameOfHash(hashes: Uint32Array, cell: number, target: Uint8Array, at: number): void {
  let to = at;
  for (let i = 0; i < 3; i++) {
    const bits = hashes[cell + i]!;
    for (let shift = 28; shift >= 0; shift -= 4) target[to++] = digit(bits, shift);
  }
}

/** A number in [0, 1), the same for the same text on every machine: `hashUnit(key) < 0.01` is a sample of 1 %. */
export function hashUnit(text: string): number {
  const hash = hashText(text);
  return (hash[0]! * 0x20_0000 + (hash[1]! >>> 11)) / 0x20_0000_0000_0000;
}

/** Which of `of` parts a key belongs to, 0-based. Independent of `hashUnit`. */
export function shardOf(key: string, of: number): number {
  return Math.floor((hashText(key)[3]! * of) / 0x1_0000_0000);
}

/** SHA-256 in hexadecimal, for hashes of modules and options. */
export function sha256Hex(data: BinaryLike): string {
  return createHash("sha256").update(data).digest("hex");
}
