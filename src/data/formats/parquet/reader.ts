import type { ColumnChunk, ColumnMetaData, FileMetaData, RowGroup } from "hyparquet";
import { KagurazakaError } from "../../../base/errors.js";
import type { Column } from "../../batch/batch.js";
import type { Feature, Features } from "../../features/feature.js";
import type { DataFile } from "../../stores/store.js";
import type { PlacedBatch, Range, ReadRequest, ShardReader, SliceSize } from "../format.js";
import { groupRanges } from "../row-ranges.js";
import { ChunkBytes } from "./chunk-bytes.js";
import type { Engine, PageLocation } from "./engine.js";
import { GroupColumn } from "./group-column.js";
import { LeafReader } from "./leaf-reader.js";
import { type LeafNode, leafFeature, leavesOf, type Node } from "./nodes.js";
import { PageDecoder } from "./pages.js";

/** What the values of a batch take in memory, about: rows that are garbage before the collector comes cost least. */
const BATCH_BYTES = 1 << 19;
const MAX_BATCH_ROWS = 1 << 11;
/** What is read of a file at once: all columns together, and of one. */
const WINDOWS = 16 << 20;
const MIN_WINDOW = 1 << 16;
const MAX_WINDOW = 1 << 20;

interface ReaderOptions {
  readonly file: DataFile;
  readonly engine: Engine;
  readonly metadata: FileMetaData;
  readonly nodes: readonly (readonly [string, Node])[];
  readonly features: Features;
}

interface Group {
  readonly first: number;
  readonly rows: number;
  readonly bytes: number;
  readonly group: RowGroup;
}

/** A Parquet file. Of a row group it reads the columns that were asked for, side by side, some pages at a time. */
export class ParquetReader implements ShardReader {
  readonly unit = "row";
  readonly undivided = undefined;
  readonly #options: ReaderOptions;
  readonly #groups: readonly Group[];
  readonly #locations = new Map<ColumnChunk, Promise<readonly PageLocation[]>>();

  constructor(options: ReaderOptions) {
    this.#options = options;
    let first = 0;
    this.#groups = options.metadata.row_groups.map((group) => {
      const rows = Number(group.num_rows);
      const bytes = group.columns.reduce(
        (sum, { meta_data }) => sum + Number(meta_data?.total_compressed_size ?? 0),
        0,
      );
      first += rows;
      return { first: first - rows, rows, bytes, group };
    });
  }

  get name(): string {
    return this.#options.file.name;
  }

  get end(): number {
    return this.rowCount;
  }

  get rowCount(): number {
    return Number(this.#options.metadata.num_rows);
  }

  get features(): Features {
    return this.#options.features;
  }

  async slices(size: SliceSize): Promise<readonly Range[]> {
    return groupRanges(this.#groups, size, { fileBytes: this.#options.file.size, cutsGroups: true });
  }

  async *batches(request: ReadRequest): AsyncGenerator<PlacedBatch> {
    const { from = 0, to = Number.POSITIVE_INFINITY } = request;
    for (const group of this.#groups) {
      const start = Math.max(0, from - group.first);
      const end = Math.min(group.rows, to - group.first);
      if (start < end) yield* this.#batchesOf(group, start, end, request);
    }
  }

  /** @param start,end rows of the group */
  async *#batchesOf(group: Group, start: number, end: number, request: ReadRequest): AsyncGenerator<PlacedBatch> {
    const columns = this.#columnsOf(group, request.columns, (end - start) / group.rows);
    const step = Math.min(request.batchRows ?? Number.POSITIVE_INFINITY, rowsOfBatch(group, columns));
    for (const column of columns) await this.#reading(column.name, () => column.skip(start));
    for (let at = start; at < end; at += step) {
      const length = Math.min(step, end - at);
      const batch: Record<string, Column> = {};
      for (const column of columns) batch[column.name] = await this.#reading(column.name, () => column.take(length));
      yield { length, columns: batch, first: group.first + at };
    }
    const longer = end === group.rows && columns.find((column) => !column.isAtEnd);
    if (longer) throw this.#bad(`column ${longer.name} has more values than the ${group.rows} rows of its row group`);
  }

  /** @param share of the group's rows that is read */
  #columnsOf({ group }: Group, wanted: readonly string[] | undefined, share: number): GroupColumn[] {
    const { nodes, features } = this.#options;
    const byName = new Map(nodes);
    const names = wanted ?? nodes.map(([name]) => name);
    const count = names.reduce((sum, name) => sum + (byName.has(name) ? leavesOf(byName.get(name)!).length : 0), 0);
    const window = (bytes: number): number =>
      Math.max(MIN_WINDOW, Math.min(MAX_WINDOW, Math.ceil(WINDOWS / count), Math.ceil(bytes * share)));
    return names.map((name) => {
      const node = byName.get(name);
      const leaves = new Map<LeafNode, LeafReader>();
      try {
        for (const leaf of node ? leavesOf(node) : [])
          leaves.set(leaf, this.#leafReader(group, leaf, leafFeature(features[name]!, node!, leaf), window));
      } catch (error) {
        throw this.#unreadable(name, error);
      }
      return new GroupColumn(name, node, features[name]!, leaves);
    });
  }

  #leafReader(group: RowGroup, leaf: LeafNode, feature: Feature, window: (bytes: number) => number): LeafReader {
    const { file, engine } = this.#options;
    const wanted = leaf.path.join("\0");
    const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema.join("\0") === wanted);
    if (chunk?.crypto_metadata || chunk?.encrypted_column_metadata)
      throw new Error("it is encrypted, which is not supported: name the other columns with --columns");
    if (!chunk?.meta_data) throw new Error("it has no chunk, or is encrypted");
    const { codec, num_values, total_compressed_size } = chunk.meta_data;
    const [from, size] = [startOf(chunk.meta_data), Number(total_compressed_size)];
    const range = { from, to: from + size, windowBytes: window(size) };
    return new LeafReader({
      leaf,
      bytes: new ChunkBytes({ file, engine, ...range }),
      decoder: new PageDecoder(engine, leaf, codec, feature),
      entries: Number(num_values),
      locations: () => this.#locationsOf(chunk),
    });
  }

  /** Kept: readers of single rows ask again and again. */
  #locationsOf(chunk: ColumnChunk): Promise<readonly PageLocation[]> {
    const { offset_index_offset: offset, offset_index_length: length } = chunk;
    if (offset === undefined || length === undefined) return Promise.resolve([]);
    let locations = this.#locations.get(chunk);
    if (!locations) {
      locations = this.#readLocations(Number(offset), length);
      locations.catch(() => this.#locations.delete(chunk));
      this.#locations.set(chunk, locations);
    }
    return locations;
  }

  async #readLocations(offset: number, length: number): Promise<readonly PageLocation[]> {
    const { file, engine } = this.#options;
    const bytes = await file.read(offset, length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return engine.readOffsetIndex({ view, offset: 0 }).page_locations;
  }

  async #reading<T>(column: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw this.#unreadable(column, error);
    }
  }

  #unreadable(column: string, error: unknown): KagurazakaError {
    if (KagurazakaError.is(error)) return error;
    return this.#bad(`column ${column} cannot be read: ${(error as Error).message}`, error);
  }

  #bad(what: string, cause?: unknown): KagurazakaError {
    return new KagurazakaError("bad-data", `${this.name}: ${what}`, { where: this.name, cause });
  }

  async where(_from: number, position: number): Promise<string> {
    return `${this.name} row ${position}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.file[Symbol.asyncDispose]();
  }
}

/** By what the columns take before they were packed. */
function rowsOfBatch({ group, rows }: Group, columns: readonly GroupColumn[]): number {
  const names = new Set(columns.map(({ name }) => name));
  const bytes = group.columns.reduce(
    (sum, { meta_data }) =>
      sum + (meta_data && names.has(meta_data.path_in_schema[0]!) ? Number(meta_data.total_uncompressed_size) : 0),
    0,
  );
  return Math.min(MAX_BATCH_ROWS, Math.max(1, Math.floor((BATCH_BYTES * rows) / Math.max(1, bytes))));
}

/** The dictionary comes before the data; some writers leave its offset out, or write 0. */
function startOf({ data_page_offset: data, dictionary_page_offset: dictionary }: ColumnMetaData): number {
  return Number(dictionary !== undefined && dictionary > 0n && dictionary < data ? dictionary : data);
}
