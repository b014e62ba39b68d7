import type { OptionSpecs, OptionValues } from "../../base/option-spec.js";
import type { Batch, Row } from "../batch/batch.js";
import type { Features } from "../features/feature.js";
import type { DataFile } from "../stores/store.js";

/** Identity is a registered symbol plus a contract number: a format may come from another package with another copy of this one. */
const formatBrand = Symbol.for("kagurazaka.format");

/** How a text file may be packed as a whole; by extension, `.gz` and `.zst`. */
export type Packing = "none" | "gzip" | "zstd";

/**
 * How records lie in a file. One definition a file, a default export:
 *
 * ```ts
 * export default defineFormat({ name: "lines", extensions: [".lines"], packs: true, options: {}, open, create, … });
 * ```
 *
 * `testFormat` of kagurazaka/testing says whether it keeps the contract.
 */
export interface FormatDefinition<S extends OptionSpecs = OptionSpecs> {
  readonly contract: 1;
  readonly name: string;
  readonly help: string;
  /** With the dot; files are written with the first one. */
  readonly extensions: readonly string[];
  /** Files may be packed as a whole, `a.jsonl.gz`. The reader gets the unpacked bytes as one stream. */
  readonly packs: boolean;
  /** Names of `--compression` that the format has inside, first the default. Empty for a format that `packs`. */
  readonly codecs: readonly string[];
  /** What a user may set for reading and writing: the delimiter, whether there is a header. */
  readonly options: S;
  /** `create` needs features: the file has a schema. */
  readonly hasSchema: boolean;
  /** Values are texts in the file: what they are, features say, which are found for the whole source first. */
  readonly valuesNeedFeatures?: boolean;
  /**
   * A file may be cut at any byte, and a row belongs to the slice in which it begins: slices by size are planned without a look into
   * the file.
   */
  readonly cutsAnywhere?: boolean;
  /** Whether a file that begins with these bytes (up to 4 KiB, unpacked) is of this format. */
  recognises(head: Buffer): boolean;
  /** @throws KagurazakaError `bad-data` for a file that is not of this format, or damaged where it was looked at */
  open(request: OpenRequest<S>): Promise<ShardReader>;
  create(request: CreateRequest<S>): Promise<ShardWriter>;
}

export interface OpenRequest<S extends OptionSpecs = OptionSpecs> {
  /** The reader closes it. */
  readonly file: DataFile;
  readonly packing: Packing;
  readonly options: OptionValues<S>;
  /** What the columns are, where that was found out before: a format without a schema makes its values of it. */
  readonly features?: Features | undefined;
}

/** A contiguous part of a shard. `from` and `to` count what the reader's `unit` says: rows or bytes. */
export interface Range {
  readonly from: number;
  /** The first row or byte behind it. */
  readonly to: number;
  /** About how many bytes of the file it is, for progress. */
  readonly bytes: number;
  /** Where the footer tells. */
  readonly rows?: number | undefined;
}

/** How large slices are to be: one of the two. */
export interface SliceSize {
  readonly bytes?: number | undefined;
  readonly rows?: number | undefined;
}

export interface ReadRequest {
  /** @defaultValue 0 */
  readonly from?: number | undefined;
  /** @defaultValue the reader's `end` */
  readonly to?: number | undefined;
  /** Only these columns, in this order. @defaultValue all */
  readonly columns?: readonly string[] | undefined;
  /** At most as many rows in a block. @defaultValue what is cheapest for the format */
  readonly batchRows?: number | undefined;
  /** Called for a row that cannot be read, and reading goes on behind it. @defaultValue the row's error is thrown */
  readonly onBadRow?: ((bad: BadRow) => void) | undefined;
  /** What to do with bytes that are not UTF-8. `replace`: each becomes U+FFFD. @defaultValue fail */
  readonly textErrors?: "fail" | "replace" | undefined;
}

/** A row that cannot be read. */
export interface BadRow {
  /** As in `RowBlock`. */
  readonly position: number;
  /** What is wrong: "not JSON: …". */
  readonly what: string;
  readonly hint?: string | undefined;
  /** The row as it stands in the file, where that is text; at most 64 KB of it. */
  readonly text?: string | undefined;
}

/**
 * Some rows, in order. A row's position is its number: in the shard, from 0, where the unit is rows; in the range that was asked
 * for, its line from 1, where the unit is bytes.
 */
export interface RowBlock {
  readonly rows: Row[];
  /** The position of the first row. */
  readonly first: number;
  /** The positions of all rows, where they have gaps (blank lines, bad rows). */
  readonly positions?: readonly number[] | undefined;
}

/** A batch, and the positions of its rows, as in `RowBlock`. */
export interface PlacedBatch extends Batch {
  readonly first: number;
  readonly positions?: readonly number[] | undefined;
}

/** An open shard. Reads may overlap in time. */
export interface ShardReader extends AsyncDisposable {
  /** For messages: the path or URL of its file. */
  readonly name: string;
  readonly unit: "row" | "byte";
  /** Rows or bytes: the end of the last range. Unknown (Infinity) for a packed text file. */
  readonly end: number;
  /** What the file says of its columns; undefined where only its rows show. */
  readonly features: Features | undefined;
  /** The names of the columns, where the file says them without their types, as the header of a CSV file does. */
  readonly columnNames?: readonly string[];
  /** Undefined where the file has to be read for it. */
  readonly rowCount: number | undefined;
  /** Why the shard is one slice whatever the size asked for. */
  readonly undivided: string | undefined;
  /** Cuts the shard. Never empty: a shard without rows has one empty range. */
  slices(size: SliceSize): Promise<readonly Range[]>;
  /** One of `rows` and `batches` is the format's own; `openShard` adds the other. */
  rows?(request: ReadRequest): AsyncGenerator<RowBlock>;
  batches?(request: ReadRequest): AsyncGenerator<PlacedBatch>;
  /** Where a row stands, for people: `data/a.jsonl:17`, `data/a.parquet row 3`. @param from of the range */
  where(from: number, position: number): Promise<string>;
}

export interface CreateRequest<S extends OptionSpecs = OptionSpecs> {
  /** Of the file, which must not exist. */
  readonly path: string;
  /** For a format with a schema: always there, and the rows were checked against them. For others where they are known. */
  readonly features: Features | undefined;
  /** Of `packs` or `codecs`. */
  readonly compression: string;
  readonly options: OptionValues<S>;
  /** Rows of a row group, in formats that have them. */
  readonly groupRows?: number | undefined;
}

/** A file that is being written. Disposed before `finish`, it leaves an unfinished file for its caller to remove. */
export interface ShardWriter extends AsyncDisposable {
  /**
   * To be awaited before the next call.
   * @throws UnwritableRow; the rows before that one are written, and more may be written behind it
   */
  writeRows(rows: readonly Row[]): Promise<void>;
  /** The same rows as columns, where the format is faster with them. */
  writeBatch?(batch: Batch): Promise<void>;
  finish(): Promise<WrittenFile>;
}

/** A row that the format cannot hold: NaN in JSON, a list in CSV. */
export class UnwritableRow extends Error {
  /** Of the rows that were given. */
  readonly index: number;

  constructor(index: number, message: string) {
    super(message);
    this.name = "UnwritableRow";
    this.index = index;
  }
}

export interface WrittenFile {
  readonly rows: number;
  readonly bytes: number;
  /** Of the file's bytes, in hex. */
  readonly sha256: string;
}

/** Identity with inference. */
export function defineFormat<const S extends OptionSpecs>(
  format: Omit<FormatDefinition<S>, "contract">,
): FormatDefinition<S> {
  return Object.defineProperty({ ...format, contract: 1 as const }, formatBrand, { value: true });
}

export function isFormat(value: unknown): value is FormatDefinition {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[formatBrand] === true;
}
