import type { Batch, Column, NumberArray } from "./batch.js";

/** One batch of several, which have the same columns. */
export function concatBatches(batches: readonly Batch[]): Batch {
  const columns: Record<string, Column> = {};
  for (const name of Object.keys(batches[0]?.columns ?? {}))
    columns[name] = concatColumns(batches.map((batch) => batch.columns[name]!));
  return { length: batches.reduce((sum, { length }) => sum + length, 0), columns };
}

/** A typed array where all are of one type, else a plain one: of int64 one batch may have floats, another bigints, a third nulls. */
function concatColumns(columns: readonly Column[]): Column {
  const [first] = columns;
  if (!ArrayBuffer.isView(first) || columns.some((column) => column.constructor !== first.constructor))
    return columns.flatMap((column) => Array.from(column as ArrayLike<unknown>));
  const length = columns.reduce((sum, column) => sum + column.length, 0);
  const joined = new (first.constructor as new (length: number) => NumberArray)(length);
  let at = 0;
  for (const column of columns) {
    joined.set(column as never, at);
    at += column.length;
  }
  return joined;
}
