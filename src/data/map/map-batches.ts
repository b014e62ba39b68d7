import { type Batch, type Column, type Row, rowsOf, sliceBatch } from "../batch/batch.js";
import { concatBatches } from "../batch/concat.js";
import type { PlacedBatch } from "../formats/format.js";
import type { BatchResult, MapContext } from "./define-map.js";
import type { Mapped } from "./map-rows.js";

/** The same rows in batches of one size; the last one may be smaller. */
export async function* batchesOfSize(batches: AsyncGenerator<PlacedBatch>, size: number): AsyncGenerator<PlacedBatch> {
  let kept: PlacedBatch[] = [];
  let length = 0;
  for await (const batch of batches) {
    kept.push(batch);
    length += batch.length;
    if (length < size) continue;
    const whole = joined(kept);
    let at = 0;
    for (; length - at >= size; at += size) yield part(whole, at, at + size);
    length -= at;
    kept = length > 0 ? [part(whole, at, at + length)] : [];
  }
  if (length > 0) yield joined(kept);
}

const joined = (batches: readonly PlacedBatch[]): PlacedBatch =>
  batches.length === 1 ? batches[0]! : { ...concatBatches(batches), first: batches[0]!.first };

const part = (batch: PlacedBatch, from: number, to: number): PlacedBatch => ({
  ...sliceBatch(batch, from, to),
  first: batch.first + from,
});

type BatchFunction = (batch: Batch, ctx: MapContext) => BatchResult | Promise<BatchResult>;

/**
 * Calls a function for a batch. Where it throws and rows are to fail alone, it is called again for each row, as a batch of one:
 * the bad ones show, and the others are kept.
 */
export async function mapBatch(
  batch: PlacedBatch,
  map: BatchFunction,
  contextAt: (position: number) => MapContext,
  rowsFailAlone: boolean,
): Promise<Mapped[]> {
  try {
    return [
      { position: batch.first, inputs: batch.length, rows: rowsOfBatch(await map(batch, contextAt(batch.first))) },
    ];
  } catch (thrown) {
    const input = (): Row => rowsOf(sliceBatch(batch, 0, 1))[0] ?? {};
    if (!rowsFailAlone || batch.length === 1) return [{ position: batch.first, input: input(), thrown }];
  }
  const alone: Mapped[] = [];
  for (let i = 0; i < batch.length; i++) {
    const one = { ...sliceBatch(batch, i, i + 1), first: batch.first + i };
    alone.push(...(await mapBatch(one, map, contextAt, true)));
  }
  return alone;
}

function rowsOfBatch(result: BatchResult): Row[] {
  if (result === null || result === undefined) return [];
  const columns = columnsOf(result);
  const [first, ...others] = Object.entries(columns);
  if (!first) return [];
  for (const [name, column] of others) {
    if (column.length === first[1].length) continue;
    throw new TypeError(
      `the function returned columns of different lengths: ${first[0]} has ${first[1].length}, ${name} has ${column.length}`,
    );
  }
  return rowsOf({ length: first[1].length, columns });
}

function columnsOf(result: NonNullable<BatchResult>): Readonly<Record<string, Column>> {
  const { length, columns } = result as Batch;
  const given =
    typeof length === "number" && typeof columns === "object" && columns !== null
      ? columns
      : (result as Record<string, Column>);
  for (const [name, column] of Object.entries(given)) {
    if (Array.isArray(column) || (ArrayBuffer.isView(column) && !(column instanceof DataView))) continue;
    throw new TypeError(
      `the function returned no array for column ${name}: a function over batches returns columns, { name: [values] }`,
    );
  }
  return given;
}
