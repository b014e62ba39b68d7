import type { Row } from "../batch/batch.js";
import type { Range, RowBlock } from "../formats/format.js";
import { type Columns, projectRow } from "./row-store.js";
import type { OpenedShard, SourceReader } from "./source-reader.js";
import type { Spool } from "./spool.js";

/** A block of text is about so many bytes: one row at random costs the reading of one block. */
const BLOCK_BYTES = 1 << 16;
/** Blocks of one shard at most: of a terabyte of text a block is a megabyte. */
const MOST_BLOCKS = 1 << 20;
/** Rows of a block, where the format cuts by rows; of a row group that cannot be cut cheaply, at most. */
const BLOCK_ROWS = 1024;
const MOST_ROWS = 1 << 16;

/** Where the rows of a shard are: blocks, and the row that each begins with. 32 bytes a block. */
export interface ShardIndex {
  readonly rows: number;
  /** The row that each block begins with; one more than there are blocks: the last one is `rows`. */
  readonly starts: Float64Array;
  /** Where the block begins in the shard, in the reader's unit; undefined where it can only be read from the beginning. */
  from(block: number): number | undefined;
  read(opened: OpenedShard, block: number, columns: Columns): Promise<readonly Row[]>;
}

/** How many rows a shard has that only opens at its beginning. */
export async function countRows(reader: SourceReader, opened: OpenedShard): Promise<number> {
  const { rowCount } = opened.shard.reader;
  if (rowCount !== undefined) return rowCount;
  let rows = 0;
  for await (const block of reader.rows(opened, {})) rows += block.rows.length;
  return rows;
}

/** From the footer where it tells; a text file is read once, because only reading shows which lines are rows. */
export async function indexShard(reader: SourceReader, opened: OpenedShard): Promise<ShardIndex> {
  const { unit, end } = opened.shard.reader;
  const size = unit === "row" ? { rows: BLOCK_ROWS } : { bytes: Math.max(BLOCK_BYTES, Math.ceil(end / MOST_BLOCKS)) };
  const cut = await opened.shard.slices(size);
  const ranges = unit === "row" ? cut.flatMap(smaller) : cut;
  const [froms, tos, starts] = [0, 0, 1].map((more) => new Float64Array(ranges.length + more)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (const [i, range] of ranges.entries()) {
    froms[i] = range.from;
    tos[i] = range.to;
    starts[i + 1] = starts[i]! + (await rowsIn(reader, opened, range));
  }
  return {
    rows: starts.at(-1)!,
    starts,
    from: (block) => froms[block]!,
    read: (from, block, columns) => collect(reader.rows(from, { from: froms[block]!, to: tos[block]!, columns })),
  };
}

async function rowsIn(reader: SourceReader, opened: OpenedShard, { from, to, rows }: Range): Promise<number> {
  if (opened.shard.reader.unit === "row") return to - from;
  if (rows !== undefined) return rows;
  let count = 0;
  for await (const block of reader.rows(opened, { from, to })) count += block.rows.length;
  return count;
}

function smaller(range: Range): Range[] {
  const parts: Range[] = [];
  for (let from = range.from; from < range.to; from += MOST_ROWS) {
    const to = Math.min(range.to, from + MOST_ROWS);
    parts.push({ from, to, bytes: (range.bytes * (to - from)) / (range.to - range.from) });
  }
  return parts;
}

/** Copies the rows of a shard that only opens at its beginning (`a.jsonl.gz`) to where they can be read in any order. */
export async function spoolShard(reader: SourceReader, opened: OpenedShard, spool: Spool): Promise<ShardIndex> {
  const starts = [0];
  const places: { readonly at: number; readonly bytes: number }[] = [];
  for await (const { rows } of reader.rows(opened, { batchRows: BLOCK_ROWS / 4 })) {
    if (rows.length === 0) continue;
    places.push(spool.append(rows));
    starts.push(starts.at(-1)! + rows.length);
  }
  return {
    rows: starts.at(-1)!,
    starts: Float64Array.from(starts),
    from: () => undefined,
    read: async (_, block, columns) => {
      const rows = spool.read(places[block]!.at, places[block]!.bytes);
      return columns ? rows.map((row) => projectRow(row, columns)) : rows;
    },
  };
}

async function collect(blocks: AsyncGenerator<RowBlock>): Promise<readonly Row[]> {
  const found: (readonly Row[])[] = [];
  for await (const { rows } of blocks) found.push(rows);
  return found.length === 1 ? found[0]! : found.flat();
}

/** The index of the last start that is at most the row. @param starts ascending, the first one 0 */
export function lastAtMost(starts: ArrayLike<number>, row: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (starts[middle]! <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}
