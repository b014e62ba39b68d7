import type { Batch, Row } from "../batch/batch.js";
import type { Features } from "../features/feature.js";

/** Only these columns, in this order; undefined: all. */
export type Columns = readonly string[] | undefined;

/** Where the rows of a dataset are, in files or in memory. Views are made of it; rows are numbered from 0. */
export interface RowStore extends AsyncDisposable {
  /** For messages. */
  readonly name: string;
  /** Of text files: found by reading them once. */
  length(): Promise<number>;
  features(): Promise<Features>;
  /** Rows in order, as many in a block as are cheap. @param to may lie behind the end */
  rows(from: number, to: number, columns: Columns): AsyncGenerator<readonly Row[]>;
  /** The same as columns. Blocks have any length. */
  batches(from: number, to: number, columns: Columns): AsyncGenerator<Batch>;
  /** Rows anywhere, in the order of the indices, which are all below `length()`. */
  pick(indices: readonly number[], columns: Columns): Promise<Row[]>;
  pickBatch(indices: readonly number[], columns: Columns): Promise<Batch>;
}

export function pickFeatures(features: Features, columns: Columns): Features {
  return columns ? Object.fromEntries(columns.map((name) => [name, features[name]!])) : features;
}

/** Columns that the row lacks are null. */
export function projectRow(row: Row, columns: readonly string[]): Row {
  const kept: Row = {};
  for (const name of columns) kept[name] = Object.hasOwn(row, name) ? row[name] : null;
  return kept;
}
