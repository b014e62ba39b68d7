import { type Batch, type Column, compactNumbers, type NumberArray } from "./batch.js";

/** One batch of several, which have the same columns. */
export function concatBatches(batches: readonly Batch[]): Batch {
  const columns: Record<string, Column> = {};
  for (const name of Object.keys(batches[0]?.columns ?? {}))
    columns[name] = joinValues(batches.map((batch) => batch.columns[name]!)) as Column;
  return { length: batches.reduce((sum, { length }) => sum + length, 0), columns };
}

/** The values of several parts of a column. Of 64-bit integers one part may have numbers, and another bigints. */
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
