import { type Batch, type Column, type NumberArray, plainInteger } from "./batch.js";

/** One batch of several, which have the same columns. */
export function concatBatches(batches: readonly Batch[]): Batch {
  const columns: Record<string, Column> = {};
  for (const name of Object.keys(batches[0]?.columns ?? {}))
    columns[name] = joinValues(batches.map((batch) => batch.columns[name]!)) as Column;
  return { length: batches.reduce((sum, { length }) => sum + length, 0), columns };
}

/**
 * The values of several parts of a column. Of 64-bit integers one part may have numbers, and another bigints: a list of values has
 * those within 2^53 as numbers.
 */
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
  for (const part of parts) {
    const isWide = part instanceof BigInt64Array || part instanceof BigUint64Array;
    for (let i = 0; i < part.length; i++) joined[at++] = isWide ? plainInteger(part[i] as bigint) : part[i];
  }
  return isTyped ? typedOf(joined as (number | bigint)[], parts as readonly NumberArray[]) : joined;
}

/** A typed array that holds the values of parts of several types; the values themselves where none does. */
function typedOf(values: readonly (number | bigint)[], parts: readonly NumberArray[]): ArrayLike<unknown> {
  if (!values.some((value) => typeof value === "bigint"))
    return parts.every((part) => part instanceof Float32Array)
      ? Float32Array.from(values as number[])
      : Float64Array.from(values as number[]);
  if (!values.every((value) => typeof value === "bigint" || Number.isInteger(value))) return values;
  const exact = values.map(BigInt);
  if (exact.every((value) => BigInt.asIntN(64, value) === value)) return BigInt64Array.from(exact);
  return exact.every((value) => value >= 0n) ? BigUint64Array.from(exact) : values;
}
