import { KagurazakaError } from "../../base/errors.js";
import { type Batch, type Row, sliceBatch } from "../batch/batch.js";
import type { Features } from "../features/feature.js";
import type { SourceShard } from "../source/source.js";
import { BlockCache } from "./block-cache.js";
import type { Columns, RowStore } from "./row-store.js";
import { countRows, indexShard, lastAtMost, type ShardIndex, spoolShard } from "./shard-index.js";
import { ShardPool } from "./shard-pool.js";
import type { OpenedShard, SourceReader } from "./source-reader.js";
import { Spool } from "./spool.js";
import { Window } from "./window.js";

const CACHE_BYTES = 16 << 20;
/** Shards that are counted at the same time, where all are. */
const AT_ONCE = 16;

/** A place in the files: a shard, and a row of it. */
interface Place {
  readonly shard: number;
  readonly row: number;
}

/** A range of a shard, by its unit; whole where nothing is said. */
interface PartRange {
  readonly from?: number;
  readonly to?: number;
}

/** The rows of a source. Nothing is read before it is asked for; what is kept is an index, and some blocks. */
export class FileRows implements RowStore {
  readonly #reader: SourceReader;
  readonly #shards: readonly SourceShard[];
  readonly #pool: ShardPool;
  readonly #cache = new BlockCache(CACHE_BYTES);
  readonly #spool = new Spool();
  readonly #indexes = new Map<number, Promise<ShardIndex>>();
  /** The first row of each shard that was counted, and of the one behind them. */
  readonly #starts: number[] = [0];
  #counting: Promise<void> | undefined;

  constructor(reader: SourceReader) {
    this.#reader = reader;
    this.#shards = reader.source.shards;
    this.#pool = new ShardPool((shard) => reader.open(shard));
  }

  get name(): string {
    return this.#reader.source.name;
  }

  features(): Promise<Features> {
    return this.#reader.source.features();
  }

  async length(): Promise<number> {
    await this.#countTo(Number.POSITIVE_INFINITY);
    return this.#starts.at(-1)!;
  }

  /** Counts shards until the row is in one of them, or there are no more. */
  async #countTo(row: number): Promise<void> {
    while (this.#starts.at(-1)! <= row && this.#starts.length <= this.#shards.length) {
      this.#counting ??= this.#countNext(row === Number.POSITIVE_INFINITY ? AT_ONCE : 1).finally(() => {
        this.#counting = undefined;
      });
      await this.#counting;
    }
  }

  async #countNext(most: number): Promise<void> {
    const first = this.#starts.length - 1;
    const counts = await Promise.all(this.#shards.slice(first, first + most).map((_, i) => this.#count(first + i)));
    for (const count of counts) this.#starts.push(this.#starts.at(-1)! + count);
  }

  #count(shard: number): Promise<number> {
    return this.#pool.use(this.#shards[shard]!, async (opened) => {
      const { undivided, rowCount } = opened.shard.reader;
      if (rowCount !== undefined) return rowCount;
      return undivided === undefined ? (await this.#index(shard)).rows : await countRows(this.#reader, opened);
    });
  }

  #index(shard: number): Promise<ShardIndex> {
    const known = this.#indexes.get(shard);
    if (known !== undefined) return known;
    const index = this.#pool.use(this.#shards[shard]!, (opened) =>
      opened.shard.reader.undivided === undefined
        ? indexShard(this.#reader, opened)
        : spoolShard(this.#reader, opened, this.#spool),
    );
    this.#indexes.set(shard, index);
    index.catch(() => this.#indexes.delete(shard));
    return index;
  }

  async *rows(from: number, to: number, columns: Columns): AsyncGenerator<readonly Row[]> {
    const window = new Window(from, to);
    for await (const { opened, range } of this.#openFrom(from, window)) {
      const wanted = columns ?? (await this.#reader.columnsOf(opened));
      for await (const { rows } of this.#reader.rows(opened, { ...range, columns: wanted })) {
        const [start, end] = window.take(rows.length);
        if (start < end) yield end - start === rows.length ? rows : rows.slice(start, end);
        if (window.isOver) return;
      }
    }
  }

  async *batches(from: number, to: number, columns: Columns): AsyncGenerator<Batch> {
    const window = new Window(from, to);
    for await (const { opened, range } of this.#openFrom(from, window)) {
      for await (const batch of this.#reader.batches(opened, { ...range, columns })) {
        const [start, end] = window.take(batch.length);
        if (start < end) yield end - start === batch.length ? batch : sliceBatch(batch, start, end);
        if (window.isOver) return;
      }
    }
  }

  /** Opens the shards one after the other, the first one near the row; tells the window what was left out. */
  async *#openFrom(row: number, window: Window): AsyncGenerator<{ opened: OpenedShard; range: PartRange }> {
    if (window.isOver) return;
    const first = row === 0 ? { shard: 0, row: 0 } : await this.#placeOf(row);
    window.leftOut(row - first.row);
    for (let i = first.shard; i < this.#shards.length; i++) {
      await using opened = await this.#reader.open(this.#shards[i]!);
      yield {
        opened,
        range: await this.#rangeFrom({ shard: i, row: i > first.shard ? 0 : first.row }, opened, window),
      };
    }
  }

  async #rangeFrom({ shard, row }: Place, { shard: { reader } }: OpenedShard, window: Window): Promise<PartRange> {
    if (reader.undivided !== undefined) return {};
    if (reader.unit === "row") {
      window.leftOut(Math.min(row, reader.end));
      return { from: Math.min(row, reader.end), to: Math.min(row + window.left, reader.end) };
    }
    if (row === 0) return {};
    const index = await this.#index(shard);
    const block = lastAtMost(index.starts, row);
    window.leftOut(index.starts[block]!);
    return { from: index.from(block) ?? reader.end };
  }

  /** Behind the last row: the end of the last shard. */
  async #placeOf(row: number): Promise<Place> {
    await this.#countTo(row);
    const shard = Math.min(lastAtMost(this.#starts, row), this.#shards.length - 1);
    return { shard: Math.max(0, shard), row: row - (this.#starts[shard] ?? 0) };
  }

  async pick(indices: readonly number[], columns: Columns): Promise<Row[]> {
    await this.#countTo(indices.reduce((most, index) => Math.max(most, index), 0));
    const slots = Array.from(indices, (_, slot) => slot).sort((a, b) => indices[a]! - indices[b]!);
    const rows: Row[] = new Array(indices.length);
    let block: { first: number; end: number; rows: readonly Row[] } = { first: 0, end: 0, rows: [] };
    // In the order of the file, so that each block is read once.
    for (const slot of slots) {
      const index = indices[slot]!;
      if (index >= block.end) block = await this.#blockOf(index, columns);
      // Whoever gets the row may change it; the block stays.
      rows[slot] = { ...block.rows[index - block.first]! };
    }
    return rows;
  }

  async #blockOf(row: number, columns: Columns): Promise<{ first: number; end: number; rows: readonly Row[] }> {
    const place = await this.#placeOf(row);
    const index = await this.#index(place.shard);
    const block = lastAtMost(index.starts, place.row);
    const key = `${place.shard} ${block} ${columns ? JSON.stringify(columns) : ""}`;
    const rows = await this.#cache.get(key, () =>
      this.#pool.use(this.#shards[place.shard]!, async (opened) =>
        index.read(opened, block, columns ?? (await this.#reader.columnsOf(opened))),
      ),
    );
    const first = row - place.row + index.starts[block]!;
    if (rows.length !== index.starts[block + 1]! - index.starts[block]!) throw this.#changed(place.shard);
    return { first, end: first + rows.length, rows };
  }

  #changed(shard: number): KagurazakaError {
    const { path } = this.#shards[shard]!;
    return new KagurazakaError("bad-data", `${path} has other rows than when it was counted`, {
      where: path,
      hint: "Load the dataset again once nothing writes to the file.",
    });
  }

  async pickBatch(indices: readonly number[], columns: Columns): Promise<Batch> {
    return await this.#reader.batchOf(await this.pick(indices, columns), columns);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cache.clear();
    this.#indexes.clear();
    this.#spool[Symbol.dispose]();
    await this.#pool[Symbol.asyncDispose]();
  }
}
