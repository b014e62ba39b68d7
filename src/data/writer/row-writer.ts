import { KagurazakaError } from "../../base/errors.js";
import { type Batch, type Row, rowsOf } from "../batch/batch.js";
import { asBadValue, BadValue } from "../features/bad-value.js";
import { createRowCheck } from "../features/check.js";
import type { Features } from "../features/feature.js";
import { FeatureInference } from "../features/infer.js";
import { NoFeature } from "../features/unify.js";
import { type ShardWriter, UnwritableRow, type WrittenFile } from "../formats/format.js";
import { checkBatch } from "./check-batch.js";

/** Rows that are kept until the features are inferred from them. */
const INFERRED_ROWS = 1000;

interface RowWriterRequest {
  /** For messages. */
  readonly path: string;
  readonly features: Features | undefined;
  /** The file has a schema: features are inferred where none are given. */
  readonly needsFeatures: boolean;
  readonly create: (features: Features | undefined) => Promise<ShardWriter>;
  /** Gives the finished file its name. */
  readonly publish: () => void;
  /** Removes an unfinished file, if there is one. */
  readonly remove: () => void;
}

/** A file of rows that is being written. See `openWriter`. */
export class RowWriter implements AsyncDisposable {
  readonly #request: RowWriterRequest;
  readonly #inference = new FeatureInference();
  #features: Features | undefined;
  #check: ((row: Row) => Row) | undefined;
  #writer: ShardWriter | undefined;
  /** Before the features are known. */
  #kept: Row[] = [];
  #written = 0;
  #isOver = false;

  private constructor(request: RowWriterRequest) {
    this.#request = request;
  }

  static async open(request: RowWriterRequest): Promise<RowWriter> {
    const writer = new RowWriter(request);
    if (request.features || !request.needsFeatures) await writer.#begin(request.features);
    return writer;
  }

  /** How many rows were written, or are kept to be written. */
  get rows(): number {
    return this.#written + this.#kept.length;
  }

  /** What the columns are; undefined while they are not known, and for a format without a schema where none were given. */
  get features(): Features | undefined {
    return this.#features;
  }

  async #begin(features: Features | undefined): Promise<ShardWriter> {
    this.#features = features;
    this.#check = features && createRowCheck(features);
    this.#writer = await this.#request.create(features);
    return this.#writer;
  }

  /**
   * Writes a row, or several. To be awaited before the next call.
   * @throws KagurazakaError `bad-row` for a row that the features or the format do not allow; those before it are written, and more
   * may be written behind it
   */
  async write(rows: Row | readonly Row[]): Promise<void> {
    this.#assertOpen();
    const given = (Array.isArray(rows) ? rows : [rows]) as readonly Row[];
    if (this.#writer) return await this.#put(this.#writer, given);
    for (let i = 0; i < given.length; i++) {
      this.#keep(given[i]!);
      if (this.#kept.length < INFERRED_ROWS) continue;
      const writer = await this.#putKept();
      return await this.#put(writer, given.slice(i + 1));
    }
  }

  #keep(row: Row): void {
    try {
      this.#inference.add(row, () => `row ${this.rows}`);
    } catch (error) {
      if (!(error instanceof NoFeature)) throw this.#badRow(asBadValue(error, "(row)"));
      throw new KagurazakaError("features", `${this.#request.path}: ${error.message}`, {
        where: this.#request.path,
        hint: "Give the features of the file: features({ … }), with Json() for a column of any values.",
        cause: error,
      });
    }
    this.#kept.push(row);
  }

  async #putKept(): Promise<ShardWriter> {
    const writer = await this.#begin(this.#inference.features ?? {});
    const kept = this.#kept;
    this.#kept = [];
    await this.#put(writer, kept);
    return writer;
  }

  async #put(writer: ShardWriter, rows: readonly Row[]): Promise<void> {
    const { checked, bad } = this.#checked(rows);
    try {
      if (checked.length > 0) await writer.writeRows(checked);
    } catch (error) {
      if (!(error instanceof UnwritableRow)) throw error;
      this.#written += error.index;
      throw this.#badRow(error);
    }
    this.#written += checked.length;
    if (bad) throw this.#badRow(bad);
  }

  /** The rows before the first bad one. */
  #checked(rows: readonly Row[]): { checked: readonly Row[]; bad?: BadValue } {
    if (!this.#check) return { checked: rows };
    const checked: Row[] = [];
    try {
      for (const row of rows) checked.push(this.#check(row));
      return { checked };
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      return { checked, bad: error };
    }
  }

  /** Rows are numbered as they are in the file. */
  #badRow(error: BadValue | UnwritableRow): KagurazakaError {
    const { path, features, needsFeatures } = this.#request;
    const isInferred = needsFeatures && !features && error instanceof BadValue;
    return new KagurazakaError("bad-row", `${path}: row ${this.rows} cannot be written: ${error.message}`, {
      where: path,
      ...(isInferred
        ? { hint: `The columns are those of the first ${INFERRED_ROWS} rows. Give the features: features({ … }).` }
        : {}),
      cause: error,
    });
  }

  /** The same as rows, faster for formats of columns. Nothing of it is written where a value does not fit the features. */
  async writeBatch(batch: Batch): Promise<void> {
    this.#assertOpen();
    const writer = this.#writer;
    if (!writer?.writeBatch || !this.#features) return await this.write(rowsOf(batch));
    try {
      await writer.writeBatch(checkBatch(batch, this.#features));
    } catch (error) {
      if (error instanceof UnwritableRow) this.#written += error.index;
      throw error instanceof BadValue || error instanceof UnwritableRow ? this.#badRow(error) : error;
    }
    this.#written += batch.length;
  }

  /** The file is whole, and gets its name. */
  async finish(): Promise<WrittenFile & { readonly path: string }> {
    this.#assertOpen();
    const writer = this.#writer ?? (await this.#putKept());
    const written = await writer.finish();
    await this.#close();
    try {
      this.#request.publish();
    } finally {
      this.#request.remove();
    }
    return { ...written, path: this.#request.path };
  }

  #assertOpen(): void {
    if (this.#isOver) throw new Error(`${this.#request.path} is written already, or closed`);
  }

  async #close(): Promise<void> {
    this.#isOver = true;
    await this.#writer?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) await this.#close();
    this.#request.remove();
  }
}
