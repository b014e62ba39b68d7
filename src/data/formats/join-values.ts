import { compactNumbers, type NumberArray } from "../batch/batch.js";

/** The values of several pages. Of 64-bit integers one page may have numbers, and another bigints. */
export function joinValues(parts: readonly ArrayLike<unknown>[]): ArrayLike<unknown> {
  const [first] = parts;
  if (first === undefined) return [];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const isTyped = parts.every((part) => ArrayBuffer.isView(part));
  if (isTyped && parts.every((part) => part.constructor === first.constructor)) {
    const joined = new (first.constructor as new (length: number) => NumberArray)(length);
    let at = 0;
    for (const part of parts) {
      joined.set(part as never, at);
      at += part.length;
    }
    return joined;
  }
  const joined = new Array<unknown>(length);
  let at = 0;
  for (const part of parts) for (let i = 0; i < part.length; i++) joined[at++] = part[i];
  return isTyped
    ? compactNumbers(joined, { kind: "int", bits: 64, signed: !parts.some((part) => part instanceof BigUint64Array) })
    : joined;
}
