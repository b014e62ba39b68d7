import type { Row } from "../batch/batch.js";
import type { RowBlock } from "../formats/format.js";
import { positionOf } from "../formats/text/text-reader.js";
import type { MapContext, RowFunction } from "./define-map.js";

/** Rows that came of one input row, or of a batch of them; or why none did. */
export type Mapped =
  | { readonly position: number; readonly rows: readonly Row[]; readonly inputs: number }
  | { readonly position: number; readonly input: Row; readonly thrown: unknown };

/**
 * Calls a function for each row of a block. A row that throws costs itself. Rows whose results are promises wait side by side,
 * at most `concurrency` of them; results come in the order of the rows.
 */
export async function mapBlock(
  block: RowBlock,
  map: RowFunction,
  contextAt: (position: number) => MapContext,
  concurrency: number,
): Promise<Mapped[]> {
  const mapped: (Mapped | Promise<Mapped>)[] = [];
  let waiting: Promise<Mapped>[] = [];
  for (const [i, input] of block.rows.entries()) {
    const position = positionOf(block, i);
    const one = mapOne(input, position, map, contextAt(position));
    mapped.push(one);
    if (!(one instanceof Promise)) continue;
    waiting.push(one);
    if (waiting.length < concurrency) continue;
    const done = await Promise.race(waiting.map((promise, at) => promise.then(() => at)));
    waiting = waiting.filter((_, at) => at !== done);
  }
  return waiting.length === 0 && !mapped.some((one) => one instanceof Promise)
    ? (mapped as Mapped[])
    : Promise.all(mapped);
}

function mapOne(input: Row, position: number, map: RowFunction, ctx: MapContext): Mapped | Promise<Mapped> {
  try {
    const result = map(input, ctx);
    if (isPromise(result)) return settle(input, position, result);
    return isIterator(result)
      ? settle(input, position, collect(result))
      : { position, inputs: 1, rows: rowsOfResult(result) };
  } catch (thrown) {
    return { position, input, thrown };
  }
}

async function settle(input: Row, position: number, promise: PromiseLike<unknown>): Promise<Mapped> {
  try {
    const result = await promise;
    return { position, inputs: 1, rows: rowsOfResult(isIterator(result) ? await collect(result) : result) };
  } catch (thrown) {
    return { position, input, thrown };
  }
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";

/** A generator, and other iterables that are no array and no text. */
const isIterator = (value: unknown): value is AsyncIterable<Row> | Iterable<Row> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  (Symbol.asyncIterator in value || Symbol.iterator in value);

async function collect(rows: AsyncIterable<Row> | Iterable<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

function rowsOfResult(result: unknown): readonly Row[] {
  if (result === null || result === undefined) return [];
  if (!Array.isArray(result)) return [checkedRow(result)];
  for (const row of result) checkedRow(row);
  return result;
}

function checkedRow(row: unknown): Row {
  if (typeof row === "object" && row !== null && !Array.isArray(row)) return row as Row;
  const what =
    typeof row === "string" ? JSON.stringify(row.slice(0, 60)) : Array.isArray(row) ? "an array" : String(row);
  throw new TypeError(
    `the function returned ${what} for a row: return an object, an array of objects, or null to drop the row`,
  );
}
