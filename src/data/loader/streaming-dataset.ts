import { KagurazakaError } from "../../base/errors.js";
import { createRandom } from "../../base/random.js";
import type { Batch, Row } from "../batch/batch.js";
import type { Features } from "../features/feature.js";
import { batchesOfSize } from "../formats/row-block.js";
import { checkColumns } from "../map/check-columns.js";
import type { SourceShard } from "../source/source.js";
import type { ColumnOf, PickColumns, RowOf } from "./dataset.js";
import { checkCount, checkSeed, checkShard } from "./order.js";
import { createPermutation } from "./permutation.js";
import { type Columns, pickFeatures } from "./row-store.js";
import type { SourceReader } from "./source-reader.js";

const BUFFER_ROWS = 1000;

/** A step over the rows of all files. */
type Step = (rows: AsyncIterable<Row>) => AsyncGenerator<Row>;

interface Stream {
  readonly shards: readonly SourceShard[];
  readonly steps: readonly Step[];
  readonly columns: Columns;
}

/** Rows of files, one after the other: nothing is counted or kept, and each iteration begins anew. */
export class StreamingDataset<F extends Features = Features> {
  readonly #reader: SourceReader;
  readonly #stream: Stream;

  /** See `loadDataset`. */
  constructor(reader: SourceReader, stream: Stream = { shards: reader.source.shards, steps: [], columns: undefined }) {
    this.#reader = reader;
    this.#stream = stream;
  }

  async features(): Promise<F> {
    await this.#checkColumns();
    return pickFeatures(await this.#reader.source.features(), this.#stream.columns) as F;
  }

  rows(): AsyncGenerator<RowOf<F>> {
    return this.#rows() as AsyncGenerator<unknown> as AsyncGenerator<RowOf<F>>;
  }

  async *#rows(): AsyncGenerator<Row> {
    await this.#checkColumns();
    let rows = this.#read();
    for (const step of this.#stream.steps) rows = step(rows);
    yield* rows;
  }

  [Symbol.asyncIterator](): AsyncGenerator<RowOf<F>> {
    return this.rows();
  }

  /** Rows as columns, so many in each batch but the last. */
  async *batches(size: number): AsyncGenerator<Batch> {
    checkCount(size, "the size of a batch", 1);
    await this.#checkColumns();
    const { steps } = this.#stream;
    const batches = steps.length === 0 ? this.#readBatches() : this.#batchesOfRows(size);
    for await (const { length, columns } of batchesOfSize(batches, size)) yield { length, columns };
  }

  async *#read(): AsyncGenerator<Row> {
    const { shards, columns } = this.#stream;
    for (const shard of shards) {
      await using opened = await this.#reader.open(shard);
      for await (const { rows } of this.#reader.rows(opened, { columns })) yield* rows;
    }
  }

  async *#readBatches(): AsyncGenerator<Batch & { first: number }> {
    const { shards, columns } = this.#stream;
    for (const shard of shards) {
      await using opened = await this.#reader.open(shard);
      for await (const batch of this.#reader.batches(opened, { columns })) yield { ...batch, first: 0 };
    }
  }

  async *#batchesOfRows(size: number): AsyncGenerator<Batch & { first: number }> {
    let rows: Row[] = [];
    for await (const row of this.#rows()) {
      rows.push(row);
      if (rows.length < size) continue;
      yield { ...(await this.#reader.batchOf(rows, this.#stream.columns)), first: 0 };
      rows = [];
    }
    if (rows.length > 0) yield { ...(await this.#reader.batchOf(rows, this.#stream.columns)), first: 0 };
  }

  async #checkColumns(): Promise<void> {
    const { source } = this.#reader;
    if (this.#stream.columns) checkColumns(this.#stream.columns, await source.features(), source.name, source.name);
  }

  #with(stream: Partial<Stream>): StreamingDataset<F> {
    return new StreamingDataset(this.#reader, { ...this.#stream, ...stream });
  }

  /**
   * The files in another order, and rows drawn from a buffer that so many pass through: the same rows for the same seed, on every
   * machine. For an order of all rows load the dataset without `streaming`.
   */
  shuffle(seed: string | number, { buffer = BUFFER_ROWS }: { buffer?: number } = {}): StreamingDataset<F> {
    checkSeed(seed);
    checkCount(buffer, "the buffer", 1);
    const { shards, steps } = this.#stream;
    const permute = createPermutation(seed, shards.length);
    // Behind `take` the rows are those of the files in their order before.
    const isFirst = steps.length === 0;
    return this.#with({
      shards: isFirst ? shards.map((_, i) => shards[permute(i)]!) : shards,
      steps: [...steps, (rows) => shuffleRows(rows, `shuffle\n${seed}`, buffer)],
    });
  }

  take(count: number): StreamingDataset<F> {
    checkCount(count, "the number of rows");
    return this.#with({ steps: [...this.#stream.steps, (rows) => takeRows(rows, count)] });
  }

  skip(count: number): StreamingDataset<F> {
    checkCount(count, "the number of rows");
    return this.#with({ steps: [...this.#stream.steps, (rows) => skipRows(rows, count)] });
  }

  /** Every n-th file, from the i-th on. @throws KagurazakaError `bad-value` where there are fewer files, or behind another step */
  shard(i: number, n: number): StreamingDataset<F> {
    checkShard(i, n);
    const { shards, steps } = this.#stream;
    if (steps.length > 0)
      throw new KagurazakaError("bad-value", "shard() comes before shuffle(), take() and skip(): it divides files");
    if (shards.length < n)
      throw new KagurazakaError("bad-value", `${shards.length} files cannot be divided among ${n}`, {
        hint: "Load the dataset without streaming: its shard() divides rows.",
      });
    return this.#with({ shards: shards.filter((_, index) => index % n === i) });
  }

  /** Only these columns, in this order; only they are read. */
  columns<const K extends ColumnOf<F>>(names: readonly K[]): StreamingDataset<PickColumns<F, K>> {
    const { columns: known } = this.#stream;
    const { name } = this.#reader.source;
    if (known) checkColumns(names, Object.fromEntries(known.map((one) => [one, {}])), name, name);
    return new StreamingDataset(this.#reader, { ...this.#stream, columns: [...names] });
  }
}

async function* shuffleRows(rows: AsyncIterable<Row>, seed: string, size: number): AsyncGenerator<Row> {
  const random = createRandom(seed);
  const buffer: Row[] = [];
  for await (const row of rows) {
    if (buffer.length < size) {
      buffer.push(row);
      continue;
    }
    const drawn = Math.floor(random() * size);
    yield buffer[drawn]!;
    buffer[drawn] = row;
  }
  while (buffer.length > 0) {
    const drawn = Math.floor(random() * buffer.length);
    yield buffer[drawn]!;
    buffer[drawn] = buffer.at(-1)!;
    buffer.pop();
  }
}

async function* takeRows(rows: AsyncIterable<Row>, count: number): AsyncGenerator<Row> {
  let left = count;
  if (left === 0) return;
  for await (const row of rows) {
    yield row;
    if (--left === 0) return;
  }
}

async function* skipRows(rows: AsyncIterable<Row>, count: number): AsyncGenerator<Row> {
  let left = count;
  for await (const row of rows) if (left-- <= 0) yield row;
}
