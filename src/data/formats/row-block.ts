import { type Row, sliceBatch } from "../batch/batch.js";
import { concatBatches } from "../batch/concat.js";
import type { PlacedBatch, RowBlock } from "./format.js";

/** Of a row of a block, or of a batch. */
export const positionOf = (block: Pick<RowBlock, "first" | "positions">, index: number): number =>
  block.positions ? block.positions[index]! : block.first + index;

/** Columns that a row lacks are null. */
export function project(block: RowBlock, columns: readonly string[]): RowBlock {
  const rows = block.rows.map((row) => {
    const kept: Row = {};
    for (const name of columns) kept[name] = Object.hasOwn(row, name) ? row[name] : null;
    return kept;
  });
  return { ...block, rows };
}

export function* cut(block: RowBlock, most: number | undefined): Generator<RowBlock> {
  if (most === undefined || block.rows.length <= most) return yield block;
  for (let at = 0; at < block.rows.length; at += most) {
    const positions = block.positions?.slice(at, at + most);
    yield { rows: block.rows.slice(at, at + most), first: positionOf(block, at), positions };
  }
}

/** Some rows of a batch. */
export function slicePlaced(batch: PlacedBatch, from: number, to: number): PlacedBatch {
  const positions = batch.positions?.slice(from, to);
  return { ...sliceBatch(batch, from, to), first: positionOf(batch, from), positions };
}

/** The same rows in batches of one size; the last one may be smaller. */
export async function* batchesOfSize(batches: AsyncIterable<PlacedBatch>, size: number): AsyncGenerator<PlacedBatch> {
  let kept: PlacedBatch[] = [];
  let length = 0;
  for await (const batch of batches) {
    kept.push(batch);
    length += batch.length;
    if (length < size) continue;
    const whole = joined(kept);
    let at = 0;
    for (; length - at >= size; at += size) yield slicePlaced(whole, at, at + size);
    length -= at;
    kept = length > 0 ? [slicePlaced(whole, at, at + length)] : [];
  }
  if (length > 0) yield joined(kept);
}

function joined(batches: readonly PlacedBatch[]): PlacedBatch {
  if (batches.length === 1) return batches[0]!;
  const hasGaps = batches.some((batch, i) => batch.positions || (i > 0 && batch.first !== behind(batches[i - 1]!)));
  const positions = hasGaps
    ? batches.flatMap((batch) => Array.from({ length: batch.length }, (_, i) => positionOf(batch, i)))
    : undefined;
  return { ...concatBatches(batches), first: batches[0]!.first, positions };
}

const behind = ({ first, length }: PlacedBatch): number => first + length;
