import { memoizePromise } from "../../base/memoize-promise.js";
import type { Batch, Row } from "../batch/batch.js";
import type { Features, ValueOf } from "../features/feature.js";
import { batchesOfSize } from "../formats/row-block.js";
import { checkColumns } from "../map/check-columns.js";
import { MemoryBatch, MemoryRows } from "./memory-rows.js";
import {
  checkCount,
  checkIndices,
  checkPlace,
  checkSeed,
  checkShard,
  type Order,
  picked,
  rangeOrder,
  sharded,
  shuffled,
  stepped,
} from "./order.js";
import { type Columns, pickFeatures, type RowStore } from "./row-store.js";

/** The columns that the compiler knows by name. */
type Known<F> = { readonly [K in keyof F as string extends K ? never : K]: F[K] };

/** What a row of the features holds; any row where they are not known to the compiler. */
export type RowOf<F extends Features> = Features extends F ? Row : ValueOf<Known<F>>;

/** Names of columns. */
export type ColumnOf<F extends Features> = Features extends F ? string : keyof Known<F> & string;

/** The features of some columns. */
export type PickColumns<F extends Features, K extends string> = Features extends F
  ? F
  : { readonly [C in K]: C extends keyof F ? F[C] : never };

/** Rows that are looked up together, where a view has them out of order. */
const PICKED_ROWS = 1024;

/** Rows `from` to `to` of an order of the store's rows; undefined is the order of the store. `to` may lie behind the end. */
interface View {
  readonly order: (() => Promise<Order>) | undefined;
  readonly from: number;
  readonly to: number;
}

const WHOLE: View = { order: undefined, from: 0, to: Number.POSITIVE_INFINITY };

/**
 * Rows in files or in memory, under numbers from 0. `select`, `shard`, `shuffle`, `take`, `skip` and `columns` give views: nothing
 * is read or copied for them, and their mistakes show at the first read. A dataset and its views share what they have open; closing
 * one closes all, and a dataset that is not closed closes its files when they were not used for some seconds.
 */
export class Dataset<F extends Features = Features> implements AsyncDisposable {
  readonly #store: RowStore;
  readonly #view: View;
  readonly #columns: Columns;
  readonly #resolved: () => Promise<Order>;

  /** See `loadDataset`, `Dataset.fromRows` and `Dataset.fromBatch`. */
  constructor(store: RowStore, view: View = WHOLE, columns: Columns = undefined) {
    this.#store = store;
    this.#view = view;
    this.#columns = columns;
    this.#resolved = memoizePromise(() => this.#resolve());
  }

  /** Rows in memory, checked where features are given. @throws BadValue */
  static fromRows<F extends Features = Features>(rows: Iterable<Row>, { features }: { features?: F } = {}): Dataset<F> {
    return new Dataset(new MemoryRows([...rows], features));
  }

  /** Columns in memory: taken as they are, and shared with the batches that are read. */
  static fromBatch<F extends Features = Features>(batch: Batch, { features }: { features?: F } = {}): Dataset<F> {
    return new Dataset(new MemoryBatch(batch, features));
  }

  /** How many rows. Parquet and Arrow say it; a text file is read once to count them. */
  async length(): Promise<number> {
    return this.#view === WHOLE ? await this.#store.length() : (await this.#resolved()).length;
  }

  async features(): Promise<F> {
    await this.#checkColumns();
    return pickFeatures(await this.#store.features(), this.#columns) as F;
  }

  /** A row; a negative index counts from the end. @throws KagurazakaError `bad-value` for a row that there is not */
  at(index: number): Promise<RowOf<F>> {
    // Through unknown: the compiler would take apart what an unknown F holds.
    return this.#at(index) as Promise<unknown> as Promise<RowOf<F>>;
  }

  async #at(index: number): Promise<Row> {
    const order = await this.#resolved();
    checkPlace(index, order.length);
    const row = index < 0 ? order.length + index : index;
    await this.#checkColumns();
    return (await this.#store.pick([order.at(row)], this.#columns))[0]!;
  }

  /** @param range `to` may lie behind the end */
  rows({ from = 0, to = Number.POSITIVE_INFINITY }: { from?: number; to?: number } = {}): AsyncGenerator<RowOf<F>> {
    return this.#rows(from, to) as AsyncGenerator<unknown> as AsyncGenerator<RowOf<F>>;
  }

  async *#rows(from: number, to: number): AsyncGenerator<Row> {
    for await (const rows of this.#blocks(from, to)) yield* rows;
  }

  [Symbol.asyncIterator](): AsyncGenerator<RowOf<F>> {
    return this.rows();
  }

  /** Rows as columns, so many in each batch but the last. */
  async *batches(size: number): AsyncGenerator<Batch> {
    checkCount(size, "the size of a batch", 1);
    await this.#checkColumns();
    const near = await this.#neighbours(0, Number.POSITIVE_INFINITY);
    if (near === undefined) {
      for await (const indices of this.#indices(0, Number.POSITIVE_INFINITY, size))
        yield await this.#store.pickBatch(indices, this.#columns);
      return;
    }
    for await (const { length, columns } of batchesOfSize(placed(this.#store.batches(...near, this.#columns)), size))
      yield { length, columns };
  }

  async *#blocks(from: number, to: number): AsyncGenerator<readonly Row[]> {
    checkCount(from, "from");
    if (to !== Number.POSITIVE_INFINITY) checkCount(to, "to");
    await this.#checkColumns();
    const near = await this.#neighbours(from, to);
    if (near !== undefined) return yield* this.#store.rows(...near, this.#columns);
    for await (const indices of this.#indices(from, to, PICKED_ROWS))
      yield await this.#store.pick(indices, this.#columns);
  }

  /** Where rows of the view are neighbours in the store: the range of them there. */
  async #neighbours(from: number, to: number): Promise<[from: number, to: number] | undefined> {
    const { order, from: first, to: end } = this.#view;
    // Its length need not be known: text is read without being counted before.
    if (order === undefined) return [first + from, Math.min(end, first + to)];
    const { start, length } = await this.#resolved();
    return start === undefined ? undefined : [start + from, start + Math.min(to, length)];
  }

  async *#indices(from: number, to: number, size: number): AsyncGenerator<number[]> {
    const order = await this.#resolved();
    const end = Math.min(to, order.length);
    for (let at = from; at < end; at += size)
      yield Array.from({ length: Math.min(size, end - at) }, (_, i) => order.at(at + i));
  }

  async #resolve(): Promise<Order> {
    const { order, from, to } = this.#view;
    const all = order ? await order() : rangeOrder(0, await this.#store.length());
    const length = Math.max(0, Math.min(to, all.length) - from);
    return length === all.length ? all : stepped(all, from, 1, length);
  }

  async #checkColumns(): Promise<void> {
    if (this.#columns) checkColumns(this.#columns, await this.#store.features(), this.#store.name, this.#store.name);
  }

  #reordered(change: (order: Order) => Order): Dataset<F> {
    const order = async (): Promise<Order> => change(await this.#resolved());
    return new Dataset(this.#store, { ...WHOLE, order }, this.#columns);
  }

  /** The rows of these indices, in their order; one may come twice. */
  select(indices: Iterable<number>): Dataset<F> {
    const kept = checkIndices(indices);
    return this.#reordered((order) => picked(order, kept));
  }

  /** The i-th of n parts, whose lengths differ by one at most. Not contiguous: every n-th row, from the i-th on. */
  shard(i: number, n: number, { contiguous = true }: { contiguous?: boolean } = {}): Dataset<F> {
    checkShard(i, n);
    return this.#reordered((order) => sharded(order, i, n, contiguous));
  }

  /**
   * All rows in an order that depends on the seed and their number alone; it is computed, not stored. Rows of files are then read one
   * by one: at most 64 KB of text, or a row group, for each.
   */
  shuffle(seed: string | number): Dataset<F> {
    checkSeed(seed);
    return this.#reordered((order) => shuffled(order, seed));
  }

  /** The first rows: as many, or all. */
  take(count: number): Dataset<F> {
    checkCount(count, "the number of rows");
    const { order, from, to } = this.#view;
    return new Dataset(this.#store, { order, from, to: Math.min(to, from + count) }, this.#columns);
  }

  /** All but the first rows. */
  skip(count: number): Dataset<F> {
    checkCount(count, "the number of rows");
    const { order, from, to } = this.#view;
    return new Dataset(this.#store, { order, from: from + count, to }, this.#columns);
  }

  /** Only these columns, in this order; of files only they are read. */
  columns<const K extends ColumnOf<F>>(names: readonly K[]): Dataset<PickColumns<F, K>> {
    const known = this.#columns;
    if (known)
      checkColumns(names, Object.fromEntries(known.map((name) => [name, {}])), this.#store.name, this.#store.name);
    return new Dataset(this.#store, this.#view, [...names]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}

async function* placed(batches: AsyncGenerator<Batch>): AsyncGenerator<Batch & { first: number }> {
  for await (const batch of batches) yield { ...batch, first: 0 };
}
