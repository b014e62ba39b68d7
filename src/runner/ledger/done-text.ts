import { addBytes, createAdder, NO_BYTES } from "../../base/checksum.js";

/**
 * The text around the key of a plain `done` line, as nearly all lines are, and its part in the checksum. Written and read
 * byte by byte: a loop takes three times as long.
 */
const HEAD = Buffer.from('{"k":"');
const TAIL = Buffer.from('","s":"done","ms":');
export const HEAD_BYTES = 6;
export const TAIL_BYTES = 18;
/** The checksum of the text before the key. */
export const HEAD_SUM = addBytes(NO_BYTES, HEAD, 0, HEAD.length);
/** Adds the text after the key. */
export const addTail = createAdder(TAIL);

/** @returns where the key begins */
export function writeHead(bytes: Buffer, at: number): number {
  bytes[at] = 0x7b;
  bytes[at + 1] = 0x22;
  bytes[at + 2] = 0x6b;
  bytes[at + 3] = 0x22;
  bytes[at + 4] = 0x3a;
  bytes[at + 5] = 0x22;
  return at + HEAD_BYTES;
}

/** @returns where the milliseconds begin */
export function writeTail(bytes: Buffer, at: number): number {
  bytes[at] = 0x22;
  bytes[at + 1] = 0x2c;
  bytes[at + 2] = 0x22;
  bytes[at + 3] = 0x73;
  bytes[at + 4] = 0x22;
  bytes[at + 5] = 0x3a;
  bytes[at + 6] = 0x22;
  bytes[at + 7] = 0x64;
  bytes[at + 8] = 0x6f;
  bytes[at + 9] = 0x6e;
  bytes[at + 10] = 0x65;
  bytes[at + 11] = 0x22;
  bytes[at + 12] = 0x2c;
  bytes[at + 13] = 0x22;
  bytes[at + 14] = 0x6d;
  bytes[at + 15] = 0x73;
  bytes[at + 16] = 0x22;
  bytes[at + 17] = 0x3a;
  return at + TAIL_BYTES;
}

export const isHead = (bytes: Buffer, at: number): boolean =>
  bytes[at] === 0x7b &&
  bytes[at + 1] === 0x22 &&
  bytes[at + 2] === 0x6b &&
  bytes[at + 3] === 0x22 &&
  bytes[at + 4] === 0x3a &&
  bytes[at + 5] === 0x22;

export const isTail = (bytes: Buffer, at: number): boolean =>
  bytes[at] === 0x22 &&
  bytes[at + 1] === 0x2c &&
  bytes[at + 2] === 0x22 &&
  bytes[at + 3] === 0x73 &&
  bytes[at + 4] === 0x22 &&
  bytes[at + 5] === 0x3a &&
  bytes[at + 6] === 0x22 &&
  bytes[at + 7] === 0x64 &&
  bytes[at + 8] === 0x6f &&
  bytes[at + 9] === 0x6e &&
  bytes[at + 10] === 0x65 &&
  bytes[at + 11] === 0x22 &&
  bytes[at + 12] === 0x2c &&
  bytes[at + 13] === 0x22 &&
  bytes[at + 14] === 0x6d &&
  bytes[at + 15] === 0x73 &&
  bytes[at + 16] === 0x22 &&
  bytes[at + 17] === 0x3a;
