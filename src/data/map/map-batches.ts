import { type Batch, type Column, type Row, rowsOf, sliceBatch } from "../batch/batch.js";
import type { PlacedBatch } from "../formats/format.js";
import { slicePlaced } from "../formats/row-block.js";
import type { BatchResult, MapContext } from "./define-map.js";
import type { Mapped } from "./map-rows.js";

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
    const result = batchOfResult(await map(batch, contextAt(batch.first)));
    const from = { position: batch.first, inputs: batch.length };
    return [result ? { ...from, batch: result } : { ...from, rows: [] }];
  } catch (thrown) {
    const input = (): Row => rowsOf(sliceBatch(batch, 0, 1))[0] ?? {};
    if (!rowsFailAlone || batch.length === 1) return [{ position: batch.first, input: input(), thrown }];
  }
  const alone: Mapped[] = [];
  for (let i = 0; i < batch.length; i++)
    alone.push(...(await mapBatch(slicePlaced(batch, i, i + 1), map, contextAt, true)));
  return alone;
}

function batchOfResult(result: BatchResult): Batch | undefined {
  if (result === null || result === undefined) return undefined;
  if (typeof result !== "object" || Symbol.iterator in result || Symbol.asyncIterator in result)
    throw new TypeError(`the function returned ${nameOf(result)}: ${COLUMNS}`);
  const isBatch = typeof result.length === "number" && typeof result.columns === "object" && result.columns !== null;
  const columns = (isBatch ? result.columns : result) as Readonly<Record<string, Column>>;
  const [first, ...others] = Object.entries(columns);
  for (const [name, column] of Object.entries(columns)) {
    if (Array.isArray(column) || (ArrayBuffer.isView(column) && !(column instanceof DataView))) continue;
    throw new TypeError(`the function returned no array for column ${name}: ${COLUMNS}`);
  }
  if (!first) return undefined;
  const length = isBatch ? (result.length as number) : first[1].length;
  if (isBatch && first[1].length !== length)
    throw new TypeError(
      `the function returned a batch of ${length} rows whose column ${first[0]} has ${first[1].length}`,
    );
  for (const [name, column] of others) {
    if (column.length === length) continue;
    throw new TypeError(
      `the function returned columns of different lengths: ${first[0]} has ${length}, ${name} has ${column.length}`,
    );
  }
  return { length, columns };
}

const COLUMNS = "a function over batches returns columns, { name: [values] }, or null";

function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  return Array.isArray(value) ? "an array" : `a ${value.constructor?.name || "generator"}`;
}
