import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { createRandom } from "../../base/random.js";
import { type Batch, type Row, rowsOf } from "../batch/batch.js";
import { BadValue, createRowCheck } from "../features/check.js";
import type { Features } from "../features/feature.js";
import { type BadRow, type ReadRequest, type RowBlock, UnwritableRow } from "../formats/format.js";
import { batchesOfSize } from "../formats/row-block.js";
import type { Shard } from "../shard/shard.js";
import { checkBatch } from "../writer/check-batch.js";
import type { MapContext, MapDefinition } from "./define-map.js";
import { mapBatch } from "./map-batches.js";
import { type Mapped, mapRows } from "./map-rows.js";

/** What becomes of a row that cannot be read, mapped or written: the slice fails; the row is kept aside; it is dropped and counted. */
export type OnError = "fail" | "reject" | "null";

/** A row that was left out, as it is kept aside. */
export interface RejectedRow {
  readonly reason: RejectReason;
  /** `file:line`, or the file and the number of the row. */
  readonly where: string;
  readonly message: string;
  /** The row, or its text where it could not be read. */
  readonly row: Row | string | null;
}

/** `unreadable` in its file; the function `threw`; a result that does not fit is `not-in-features` or `unwritable` in the format. */
type RejectReason = "unreadable" | "threw" | "not-in-features" | "unwritable";

export interface MapCounts {
  rowsIn: number;
  rowsOut: number;
  dropped: number;
  readonly rejected: Record<string, number>;
}

export interface MapSliceRequest {
  readonly map: MapDefinition;
  readonly shard: Shard;
  readonly read: ReadRequest;
  /** Of the source: a function over batches gets columns of these. */
  readonly inputFeatures: Features | undefined;
  /** What rows must be; undefined: the format takes them as they are. */
  readonly outputFeatures: Features | undefined;
  readonly onError: OnError;
  readonly seed: string;
  readonly names: Pick<MapContext, "source" | "shard" | "split">;
  readonly signal: AbortSignal;
  readonly write: (rows: Row[]) => Promise<void>;
  /** The same as columns, of the output features, where the format is faster with them. */
  readonly writeBatch?: ((batch: Batch) => Promise<void>) | undefined;
  readonly reject: (row: RejectedRow) => void;
  /** Called now and then: the slice is alive. */
  readonly alive: () => void;
}

/** Maps the rows of a range, in order. @throws KagurazakaError for a bad row, where the policy is `fail` */
export async function mapSlice(request: MapSliceRequest): Promise<MapCounts> {
  const run = new SliceMap(request);
  await run.run();
  return run.counts;
}

class SliceMap {
  readonly #request: MapSliceRequest;
  readonly #check: ((row: Row) => Row) | undefined;
  readonly #unread: BadRow[] = [];
  readonly counts: MapCounts = { rowsIn: 0, rowsOut: 0, dropped: 0, rejected: {} };

  constructor(request: MapSliceRequest) {
    this.#request = request;
    this.#check = request.outputFeatures && createRowCheck(request.outputFeatures);
  }

  async run(): Promise<void> {
    const { map, signal, alive } = this.#request;
    for await (const mapped of map.batchSize === undefined ? this.#mapRows() : this.#mapBatches()) {
      signal.throwIfAborted();
      await this.#dealWithUnread();
      await this.#take(mapped);
      alive();
    }
    await this.#dealWithUnread();
  }

  get #read(): ReadRequest {
    const { read, onError } = this.#request;
    return onError === "fail" ? read : { ...read, onBadRow: (bad) => this.#unreadable(bad) };
  }

  #mapRows(): AsyncGenerator<readonly Mapped[]> {
    const { map: definition, shard, signal, alive } = this.#request;
    const { map, concurrency = 16 } = definition as Extract<MapDefinition, { batchSize?: undefined }>;
    const contextAt = (position: number): MapContext => this.#context(position);
    return mapRows(this.#counted(shard.rows(this.#read)), { map, contextAt, concurrency, signal, alive });
  }

  async *#counted(blocks: AsyncGenerator<RowBlock>): AsyncGenerator<RowBlock> {
    for await (const block of blocks) {
      this.counts.rowsIn += block.rows.length;
      yield block;
    }
  }

  async *#mapBatches(): AsyncGenerator<readonly Mapped[]> {
    const { map, shard, inputFeatures, onError } = this.#request;
    const { map: call, batchSize } = map as Extract<MapDefinition, { batchSize: number }>;
    for await (const batch of batchesOfSize(shard.batches(this.#read, inputFeatures), batchSize)) {
      this.counts.rowsIn += batch.length;
      yield await mapBatch(batch, call, (position) => this.#context(position), onError !== "fail");
    }
  }

  #context(row: number): MapContext {
    return new RowContext(this.#request, row);
  }

  /** Writes results, and deals with the rows that have none. */
  async #take(mapped: readonly Mapped[]): Promise<void> {
    let rows: Row[] = [];
    let positions: number[] = [];
    for (const one of mapped) {
      if ("thrown" in one) {
        await this.#threw(one.position, one.input, one.thrown);
        continue;
      }
      const length = "batch" in one ? one.batch.length : one.rows.length;
      this.counts.dropped += Math.max(0, one.inputs - length);
      const checked = "batch" in one ? this.#checkedBatch(one.batch) : undefined;
      if (checked) {
        await this.#write(rows, positions);
        [rows, positions] = [[], []];
        await this.#request.writeBatch!(checked);
        this.counts.rowsOut += checked.length;
        continue;
      }
      for (const row of "batch" in one ? rowsOf(one.batch) : one.rows) {
        try {
          rows.push(this.#check ? this.#check(row) : row);
          positions.push(one.position);
        } catch (error) {
          if (!(error instanceof BadValue)) throw error;
          await this.#bad("not-in-features", one.position, error.message, row);
        }
      }
    }
    await this.#write(rows, positions);
  }

  /** Undefined where it has to be looked at row by row: the format takes no batches, or a value does not fit. */
  #checkedBatch(batch: Batch): Batch | undefined {
    const { writeBatch, outputFeatures } = this.#request;
    if (!writeBatch || !outputFeatures) return undefined;
    try {
      return checkBatch(batch, outputFeatures);
    } catch (error) {
      if (error instanceof BadValue) return undefined;
      throw error;
    }
  }

  async #write(rows: Row[], positions: readonly number[]): Promise<void> {
    let from = 0;
    for (;;) {
      try {
        await this.#request.write(from === 0 ? rows : rows.slice(from));
        this.counts.rowsOut += rows.length - from;
        return;
      } catch (error) {
        if (!(error instanceof UnwritableRow)) throw error;
        // The rows before it are written.
        this.counts.rowsOut += error.index;
        const at = from + error.index;
        await this.#bad("unwritable", positions[at]!, error.message, rows[at]!);
        from = at + 1;
      }
    }
  }

  /** Rows that cannot be read are told of while a block is read; what becomes of them is written after it. */
  #unreadable(bad: BadRow): void {
    this.counts.rowsIn++;
    this.#unread.push(bad);
  }

  async #dealWithUnread(): Promise<void> {
    for (const { position, what, text } of this.#unread.splice(0))
      await this.#bad("unreadable", position, what, text ?? null);
  }

  async #threw(position: number, row: Row, thrown: unknown): Promise<void> {
    const { signal, onError } = this.#request;
    // A service that asks to wait, and the end of the item, are nothing that a row has done.
    if (toErrorRecord(thrown).retryAfter || signal.aborted) throw thrown;
    if (onError === "fail") throw placed(thrown, await this.#where(position));
    await this.#bad("threw", position, toErrorRecord(thrown).message, row);
  }

  async #bad(reason: RejectReason, position: number, message: string, row: Row | string | null): Promise<void> {
    const { onError, reject } = this.#request;
    if (onError === "fail") {
      const where = await this.#where(position);
      const hint = "Mend the function, or say --on-error reject to keep such rows aside and go on.";
      throw new KagurazakaError("bad-row", `${where}: ${message}`, { where, hint });
    }
    const { rejected } = this.counts;
    rejected[reason] = (rejected[reason] ?? 0) + 1;
    if (onError === "reject") reject({ reason, where: await this.#where(position), message, row });
  }

  #where(position: number): Promise<string> {
    const { shard, read } = this.#request;
    return shard.reader.where(read.from ?? 0, position);
  }
}

/** Made for each row, so it holds nothing that it can look up. */
class RowContext implements MapContext {
  readonly #request: MapSliceRequest;
  #random: (() => number) | undefined;
  readonly row: number;

  constructor(request: MapSliceRequest, row: number) {
    this.#request = request;
    this.row = row;
  }

  get source(): string {
    return this.#request.names.source;
  }

  get shard(): string {
    return this.#request.names.shard;
  }

  get split(): string {
    return this.#request.names.split;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  random(): number {
    const { seed, read, names } = this.#request;
    this.#random ??= createRandom(`${seed}\n${names.source}\n${names.shard}\n${read.from ?? 0}\n${this.row}`);
    return this.#random();
  }
}

/** The error with the row's place in front of its message. Its name, code and stack stay: they decide about a retry. */
function placed(thrown: unknown, where: string): unknown {
  if (!(thrown instanceof Error)) return new Error(`${where}: ${toErrorRecord(thrown).message}`, { cause: thrown });
  try {
    const { message } = thrown;
    thrown.message = `${where}: ${message}`;
    if (thrown.stack?.includes(message)) thrown.stack = thrown.stack.replace(message, () => thrown.message);
  } catch {
    // A frozen error goes on as it is.
  }
  return thrown;
}
