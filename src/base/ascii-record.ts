import { isPlainObject, shapeOf } from "./record-shape.js";

/**
 * The canonical JSON of plain records, written as bytes: what most lists are made of (fields in order, ASCII text, whole
 * numbers) is checked, spelled and ready to be hashed in one pass. Anything else is told apart and left to
 * `encodeItem`, which gives the same text for what both can say.
 */
const CAPACITY = 4096;
const MAX_DEPTH = 8;
const LONGEST_NUMBER = 10;

const bytes = Buffer.allocUnsafeSlow(CAPACITY);
let at = 0;

/** Where `writeAsciiRecord` wrote. Valid until its next call. */
export const asciiBytes: Buffer = bytes;

/** How many bytes the record takes; 0: it is not that plain. */
export function writeAsciiRecord(record: object): number {
  at = 0;
  return writeObject(record, 0) ? at : 0;
}

function writeObject(object: object, depth: number): boolean {
  if (depth >= MAX_DEPTH || !isPlainObject(object)) return false;
  const { inOrder, keys, asciiHeads } = shapeOf(object, depth);
  if (!inOrder || asciiHeads === undefined) return false;
  for (let i = 0; i < keys.length; i++) {
    const head = asciiHeads[i]!;
    if (CAPACITY - at < head.length + LONGEST_NUMBER) return false;
    for (let b = 0; b < head.length; b++) bytes[at++] = head[b]!;
    if (!writeValue((object as Record<string, unknown>)[keys[i]!], depth)) return false;
  }
  bytes[at++] = 0x7d;
  return true;
}

function writeValue(value: unknown, depth: number): boolean {
  if (typeof value === "string") return writeText(value);
  if (typeof value === "number") return writeWhole(value);
  return typeof value === "object" && value !== null && !Array.isArray(value) && writeObject(value, depth + 1);
}

function writeText(text: string): boolean {
  const { length } = text;
  if (CAPACITY - at < length + 3) return false;
  let to = at;
  bytes[to++] = 0x22;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return false;
    bytes[to++] = unit;
  }
  bytes[to++] = 0x22;
  at = to;
  return true;
}

/** Whole numbers from 0 to 2^31 - 1. `-0` is not one of them. */
function writeWhole(value: number): boolean {
  if ((value | 0) !== value || value < 0 || Object.is(value, -0)) return false;
  let digits = 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++;
  at += digits;
  let to = at;
  let rest = value;
  do {
    const next = (rest / 10) | 0;
    bytes[--to] = 0x30 + (rest - next * 10);
    rest = next;
  } while (rest > 0);
  return true;
}
