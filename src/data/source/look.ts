import { createRandom } from "../../base/random.js";
import type { Row } from "../batch/batch.js";
import type { Source, SourceShard } from "./source.js";

/** The first rows. */
export async function headRows(source: Source, count: number, columns?: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  if (count <= 0) return rows;
  for await (const block of source.blocks(columns)) {
    for (const row of block.rows) if (rows.push(row) === count) return rows;
  }
  return rows;
}

/** How many rows a shard has; of a format without a footer it is read. */
export async function countRows(source: Source, shard: SourceShard): Promise<number> {
  await using opened = await source.open(shard);
  if (opened.reader.rowCount !== undefined) return opened.reader.rowCount;
  let rows = 0;
  for await (const block of opened.rows()) rows += block.rows.length;
  return rows;
}

/** Rows of the whole source, each as likely as any other, in their order. The same seed gives the same rows. */
export async function sampleRows(
  source: Source,
  count: number,
  seed: number,
  columns?: readonly string[],
): Promise<Row[]> {
  const random = createRandom(`sample ${seed}`);
  const kept: { row: Row; at: number }[] = [];
  let at = 0;
  // Reservoir sampling (Vitter's algorithm R).
  for await (const block of source.blocks(columns))
    for (const row of block.rows) {
      if (kept.length < count) kept.push({ row, at });
      else {
        const place = Math.floor(random() * (at + 1));
        if (place < count) kept[place] = { row, at };
      }
      at++;
    }
  return kept.sort((a, b) => a.at - b.at).map(({ row }) => row);
}
