import { KagurazakaError } from "../../base/errors.js";
import { type Batch, batchOf, type Row } from "../batch/batch.js";
import { BadValue, createRowCheck } from "../features/check.js";
import type { Features } from "../features/feature.js";
import type { ReadRequest, RowBlock } from "../formats/format.js";
import { loadFormat } from "../formats/registry.js";
import { positionOf } from "../formats/row-block.js";
import type { Shard } from "../shard/shard.js";
import type { Source, SourceShard } from "../source/source.js";
import { pickFeatures } from "./row-store.js";

export interface OpenedShard extends AsyncDisposable {
  readonly shard: Shard;
  readonly hasSchema: boolean;
}

/**
 * Reads the shards of a source so that rows are what the features of the dataset say. Rows of text are as they stand in the file
 * until someone has said what the columns are; batches always have the columns of the features.
 */
export class SourceReader {
  readonly source: Source;
  /** What the user said; a file may have more columns, and those are not read. */
  readonly #asked: Features | undefined;
  readonly #checks = new Map<string, (row: Row) => Row>();

  constructor(source: Source, asked: Features | undefined) {
    this.source = source;
    this.#asked = asked;
  }

  async open(shard: SourceShard): Promise<OpenedShard> {
    const { hasSchema } = await loadFormat(shard.format);
    const opened = await this.source.open(shard);
    return { shard: opened, hasSchema, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
  }

  async *rows(opened: OpenedShard, request: ReadRequest): AsyncGenerator<RowBlock> {
    const { shard, hasSchema } = opened;
    if (!this.#asked || (hasSchema && isSame(shard.reader.features, this.#asked))) return yield* shard.rows(request);
    const features = pickFeatures(this.#asked, request.columns);
    yield* this.#checked(shard, { ...request, columns: Object.keys(features) }, features);
  }

  /**
   * What is read of a shard, so that its rows have the columns of all shards, as its batches have: undefined where it has them by
   * itself, and of text without a header.
   */
  async columnsOf({ shard: { reader }, hasSchema }: OpenedShard): Promise<readonly string[] | undefined> {
    if (!hasSchema || this.source.shards.length === 1) return undefined;
    const names = Object.keys(await this.source.features());
    const has = new Set(reader.columnNames ?? Object.keys(reader.features ?? {}));
    return names.every((name) => has.has(name)) ? undefined : names;
  }

  async *batches(opened: OpenedShard, request: ReadRequest): AsyncGenerator<Batch> {
    const { shard, hasSchema } = opened;
    const features = pickFeatures(await this.source.features(), request.columns);
    // What a shard's own footer says may be narrower than what all of them have in common.
    if (hasSchema && isSame(pickFeatures(shard.reader.features ?? {}, request.columns), features))
      return yield* shard.batches(request);
    const columns = request.columns ?? (this.#asked && Object.keys(this.#asked));
    for await (const { rows } of this.#checked(shard, { ...request, columns }, features)) yield batchOf(rows, features);
  }

  async *#checked(shard: Shard, request: ReadRequest, features: Features): AsyncGenerator<RowBlock> {
    const check = this.#checkOf(features);
    for await (const block of shard.rows(request)) {
      const rows: Row[] = new Array(block.rows.length);
      for (let i = 0; i < rows.length; i++) {
        try {
          rows[i] = check(block.rows[i]!);
        } catch (error) {
          if (!(error instanceof BadValue)) throw error;
          throw misfit(await shard.reader.where(request.from ?? 0, positionOf(block, i)), error);
        }
      }
      yield { ...block, rows };
    }
  }

  /** Rows that were read one by one as a batch. */
  async batchOf(rows: readonly Row[], columns: readonly string[] | undefined): Promise<Batch> {
    const features = pickFeatures(await this.source.features(), columns);
    const check = this.#checkOf(features);
    const checked = rows.map((row) => {
      try {
        return check(row);
      } catch (error) {
        throw error instanceof BadValue ? misfit(this.source.name, error) : error;
      }
    });
    return batchOf(checked, features);
  }

  #checkOf(features: Features): (row: Row) => Row {
    const key = Object.keys(features).join("\n");
    const check = this.#checks.get(key) ?? createRowCheck(features);
    this.#checks.set(key, check);
    return check;
  }
}

const isSame = (left: Features | undefined, right: Features): boolean => JSON.stringify(left) === JSON.stringify(right);

const misfit = (where: string, error: BadValue): KagurazakaError =>
  new KagurazakaError("features", `${where}: ${error.message}`, {
    where,
    hint: "Say what the columns are: features({ … }), with Nullable() where a value may be missing and Json() for any value.",
    cause: error,
  });
