import { type Batch, batchOf, type Column, plainInteger, type Row, rowsOf, sliceBatch } from "../batch/batch.js";
import { createRowCheck } from "../features/check.js";
import type { Features } from "../features/feature.js";
import { FeatureInference } from "../features/infer.js";
import { type Columns, pickFeatures, projectRow, type RowStore } from "./row-store.js";

/** Rows that are made at a time of the columns of a batch. */
const BLOCK_ROWS = 1024;

/** Rows as they were given, or checked where features were given. */
export class MemoryRows implements RowStore {
  readonly name = "the dataset";
  readonly #rows: readonly Row[];
  readonly #isChecked: boolean;
  #features: Features | undefined;
  #check: ((row: Row) => Row) | undefined;

  /** @throws BadValue for a row that the features do not allow */
  constructor(rows: readonly Row[], features: Features | undefined) {
    this.#rows = features ? rows.map(createRowCheck(features)) : rows;
    this.#isChecked = features !== undefined;
    this.#features = features;
  }

  async length(): Promise<number> {
    return this.#rows.length;
  }

  async features(): Promise<Features> {
    this.#features ??= inferFeatures(this.#rows);
    return this.#features;
  }

  async *rows(from: number, to: number, columns: Columns): AsyncGenerator<readonly Row[]> {
    yield this.#rows.slice(from, to).map((row) => (columns ? projectRow(row, columns) : row));
  }

  async *batches(from: number, to: number, columns: Columns): AsyncGenerator<Batch> {
    for (let at = from; at < Math.min(to, this.#rows.length); at += BLOCK_ROWS)
      yield await this.#batch(this.#rows.slice(at, Math.min(to, at + BLOCK_ROWS)), columns);
  }

  async pick(indices: readonly number[], columns: Columns): Promise<Row[]> {
    return indices.map((index) => (columns ? projectRow(this.#rows[index]!, columns) : this.#rows[index]!));
  }

  async pickBatch(indices: readonly number[], columns: Columns): Promise<Batch> {
    return await this.#batch(
      indices.map((index) => this.#rows[index]!),
      columns,
    );
  }

  async #batch(rows: readonly Row[], columns: Columns): Promise<Batch> {
    const features = await this.features();
    this.#check ??= createRowCheck(features);
    return batchOf(this.#isChecked ? rows : rows.map(this.#check), pickFeatures(features, columns));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The columns of a batch. Its values are shared with what is read of it. */
export class MemoryBatch implements RowStore {
  readonly name = "the dataset";
  readonly #batch: Batch;
  #features: Features | undefined;

  constructor(batch: Batch, features: Features | undefined) {
    this.#batch = batch;
    this.#features = features;
  }

  async length(): Promise<number> {
    return this.#batch.length;
  }

  async features(): Promise<Features> {
    this.#features ??= inferFeatures(rowsOf(this.#batch));
    return this.#features;
  }

  async *rows(from: number, to: number, columns: Columns): AsyncGenerator<readonly Row[]> {
    for (let at = from; at < Math.min(to, this.#batch.length); at += BLOCK_ROWS)
      yield rowsOf(sliceBatch(this.#columns(columns), at, Math.min(to, at + BLOCK_ROWS)));
  }

  async *batches(from: number, to: number, columns: Columns): AsyncGenerator<Batch> {
    const end = Math.min(to, this.#batch.length);
    if (from < end) yield sliceBatch(this.#columns(columns), from, end);
  }

  async pick(indices: readonly number[], columns: Columns): Promise<Row[]> {
    const entries = Object.entries(this.#columns(columns).columns);
    return indices.map((index) => {
      const row: Row = {};
      for (const [name, column] of entries) {
        const value = column[index];
        row[name] = ArrayBuffer.isView(column) && typeof value === "bigint" ? plainInteger(value) : value;
      }
      return row;
    });
  }

  async pickBatch(indices: readonly number[], columns: Columns): Promise<Batch> {
    const picked: Record<string, Column> = {};
    for (const [name, column] of Object.entries(this.#columns(columns).columns))
      picked[name] = pickColumn(column, indices);
    return { length: indices.length, columns: picked };
  }

  #columns(columns: Columns): Batch {
    if (!columns) return this.#batch;
    const { length, columns: all } = this.#batch;
    return { length, columns: Object.fromEntries(columns.map((name) => [name, all[name]!])) };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function pickColumn(column: Column, indices: readonly number[]): Column {
  if (!ArrayBuffer.isView(column)) return indices.map((index) => column[index]);
  const picked = new (column.constructor as new (length: number) => Record<number, unknown> & typeof column)(
    indices.length,
  );
  for (let i = 0; i < indices.length; i++) picked[i] = column[indices[i]!]!;
  return picked;
}

function inferFeatures(rows: readonly Row[]): Features {
  const inference = new FeatureInference();
  for (const [i, row] of rows.entries()) inference.add(row, () => `row ${i}`);
  return inference.features ?? {};
}
