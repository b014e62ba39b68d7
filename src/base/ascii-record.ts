import { isPlainObject, shapeOf } from "./record-shape.js";

/**
 * Writes the canonical JSON of plain records (fields in order, ASCII text, whole numbers) as bytes, in one pass. Other records
 * are refused and left to `encodeItem`, which returns the same JSON for plain ones.
 */
const MAX_DEPTH = 8;
const LONGEST_NUMBER = 10;
const NOT_PLAIN = -1;

/** Writes from `at` on and returns the end; -1, with garbage in the target, for a record that is not plain or too long. */
export function writeAsciiRecord(record: object, target: Uint8Array, at: number): number {
  return writeObject(record, target, at, 0);
}

function writeObject(object: object, target: Uint8Array, start: number, depth: number): number {
  if (depth >= MAX_DEPTH || !isPlainObject(object)) return NOT_PLAIN;
  const { inOrder, keys, asciiHeads } = shapeOf(object, depth);
  if (!inOrder || asciiHeads === undefined) return NOT_PLAIN;
  let at = start;
  for (let i = 0; i < keys.length; i++) {
    const head = asciiHeads[i]!;
    if (target.length - at < head.length + LONGEST_NUMBER + 1) return NOT_PLAIN;
    for (let b = 0; b < head.length; b++) target[at++] = head[b]!;
    const value = (object as Record<string, unknown>)[keys[i]!];
    if (typeof value === "string") at = writeText(value, target, at);
    else if (typeof value === "number") at = writeWhole(value, target, at);
    else if (typeof value !== "object" || value === null || Array.isArray(value)) return NOT_PLAIN;
    else at = writeObject(value, target, at, depth + 1);
    if (at === NOT_PLAIN || at === target.length) return NOT_PLAIN;
  }
  target[at++] = 0x7d;
  return at;
}

function writeText(text: string, target: Uint8Array, start: number): number {
  const { length } = text;
  if (target.length - start < length + 3) return NOT_PLAIN;
  let at = start;
  target[at++] = 0x22;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return NOT_PLAIN;
    target[at++] = unit;
  }
  target[at++] = 0x22;
  return at;
}

/** Whole numbers from 0 to 2^31 - 1, without `-0`. */
function writeWhole(value: number, target: Uint8Array, start: number): number {
  if ((value | 0) !== value || value < 0 || Object.is(value, -0)) return NOT_PLAIN;
  let digits = 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++;
  const end = start + digits;
  let at = end;
  let rest = value;
  do {
    const next = (rest / 10) | 0;
    target[--at] = 0x30 + (rest - next * 10);
    rest = next;
  } while (rest > 0);
  return end;
}
