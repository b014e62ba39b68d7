import type { ColumnMetaData, FileMetaData, RowGroup } from "hyparquet";
import { KagurazakaError } from "../../../base/errors.js";
import type { Column } from "../../batch/batch.js";
import type { Feature, Features } from "../../features/feature.js";
import type { DataFile } from "../../stores/store.js";
import type { PlacedBatch, Range, ReadRequest, ShardReader, SliceSize } from "../format.js";
import { groupBatches, groupRanges } from "../row-ranges.js";
import { assembleColumn } from "./assemble.js";
import type { Engine } from "./engine.js";
import type { LeafNode, Node } from "./nodes.js";
import { leafFeature, leavesOf } from "./nodes.js";
import { type LeafData, readColumnChunk } from "./pages.js";

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

/** A Parquet file; reads a row group at a time, and of it the columns that were asked for. */
export class ParquetReader implements ShardReader {
  readonly unit = "row";
  readonly #options: ReaderOptions;
  readonly #groups: readonly Group[];

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

  get undivided(): string | undefined {
    return this.#groups.length === 1 ? "a parquet file of one row group cannot be opened in its middle" : undefined;
  }

  async slices(size: SliceSize): Promise<readonly Range[]> {
    return groupRanges(this.#groups, size, this.#options.file.size);
  }

  batches(request: ReadRequest): AsyncGenerator<PlacedBatch> {
    return groupBatches(this.#groups, request, ({ group }) => this.#columnsOf(group, request.columns));
  }

  async #columnsOf(group: RowGroup, wanted: readonly string[] | undefined): Promise<Record<string, Column>> {
    const { nodes, features } = this.#options;
    const columns: Record<string, Column> = {};
    const byName = new Map(nodes);
    for (const name of wanted ?? nodes.map(([name]) => name)) {
      const node = byName.get(name);
      if (!node) {
        columns[name] = new Array(Number(group.num_rows)).fill(null);
        continue;
      }
      columns[name] = await this.#column(group, name, node, features);
      if (columns[name].length !== Number(group.num_rows))
        throw this.#bad(`column ${name} has ${columns[name].length} values in a row group of ${group.num_rows} rows`);
    }
    return columns;
  }

  async #column(group: RowGroup, name: string, node: Node, features: Features): Promise<Column> {
    const leaves = new Map<LeafNode, LeafData>();
    try {
      for (const leaf of leavesOf(node))
        leaves.set(leaf, await this.#leaf(group, leaf, leafFeature(features[name]!, node, leaf)));
      return assembleColumn(node, features[name]!, (leaf) => leaves.get(leaf)!);
    } catch (error) {
      if (KagurazakaError.is(error)) throw error;
      throw this.#bad(`column ${name} cannot be read: ${(error as Error).message}`, error);
    }
  }

  async #leaf(group: RowGroup, leaf: LeafNode, feature: Feature): Promise<LeafData> {
    const { file, engine } = this.#options;
    const wanted = leaf.path.join("\0");
    const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema.join("\0") === wanted)?.meta_data;
    if (!chunk) throw new Error("it has no chunk, or is encrypted");
    const [from, length] = [startOf(chunk), Number(chunk.total_compressed_size)];
    if (from < 0 || length < 0 || from + length > file.size) throw new Error("it lies behind the end of the file");
    const { buffer, byteOffset, byteLength } = await file.read(from, length);
    if (byteLength < length) throw new Error("the file is shorter than it was");
    // No Buffer: its slices are views.
    return readColumnChunk(engine, new Uint8Array(buffer, byteOffset, byteLength), leaf, chunk, feature);
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

/** The dictionary comes before the data; some writers leave its offset out, or write 0. */
function startOf({ data_page_offset: data, dictionary_page_offset: dictionary }: ColumnMetaData): number {
  return Number(dictionary !== undefined && dictionary > 0n && dictionary < data ? dictionary : data);
}
