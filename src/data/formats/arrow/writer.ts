import type { DataType, Schema } from "apache-arrow";
import type { FileBlock } from "apache-arrow/ipc/metadata/file";
import { type Batch, batchOf, type Row, sliceBatch } from "../../batch/batch.js";
import { concatBatches } from "../../batch/concat.js";
import type { Features } from "../../features/feature.js";
import { FileSink } from "../../stores/file-sink.js";
import { type CreateRequest, type ShardWriter, UnwritableRow, type WrittenFile } from "../format.js";
import { dataOf } from "./build.js";
import { MAX_BYTES } from "./build-bytes.js";
import { type ArrowEngine, loadArrow } from "./engine.js";
import { storedFeatures } from "./metadata.js";
import { rowSizer } from "./row-bytes.js";
import { schemaOf } from "./schema.js";

/** A record batch ends with so many rows, or before the row that would make it larger than so many bytes. */
const BATCH_ROWS = 10_000;
const BATCH_BYTES = 16 << 20;
const MAGIC = Buffer.from("ARROW1");
const END_OF_STREAM = Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

export async function openArrowWriter(request: CreateRequest, container: "file" | "stream"): Promise<ShardWriter> {
  return new ArrowWriter(await loadArrow(), request, container);
}

/** Messages one by one, as the library makes them for a stream; a file has a footer behind them. */
class ArrowWriter implements ShardWriter {
  readonly #arrow: ArrowEngine;
  readonly #features: Features;
  readonly #schema: Schema;
  readonly #bytesOf: (batch: Batch) => Float64Array;
  readonly #compression: number | null;
  readonly #batchRows: number;
  readonly #isFile: boolean;
  readonly #sink: FileSink;
  readonly #blocks: FileBlock[] = [];
  #waiting: Batch[] = [];
  #waitingRows = 0;
  #waitingBytes = 0;
  #rows = 0;

  constructor(
    arrow: ArrowEngine,
    { path, features = {}, compression, groupRows }: CreateRequest,
    container: "file" | "stream",
  ) {
    const { CompressionType } = arrow;
    this.#arrow = arrow;
    this.#features = storedFeatures(features);
    this.#schema = schemaOf(arrow, features);
    this.#bytesOf = rowSizer(this.#features);
    this.#compression =
      compression === "zstd" ? CompressionType.ZSTD : compression === "lz4" ? CompressionType.LZ4_FRAME : null;
    this.#batchRows = groupRows ?? BATCH_ROWS;
    this.#isFile = container === "file";
    this.#sink = new FileSink(path);
    if (this.#isFile) this.#sink.write(Buffer.concat([MAGIC, Buffer.alloc(2)]));
    for (const part of this.#messages(undefined).parts) this.#sink.write(part);
  }

  async writeRows(rows: readonly Row[]): Promise<void> {
    if (rows.length > 0) await this.writeBatch(batchOf(rows, this.#features));
  }

  /** @throws UnwritableRow for a row of 2 GB; the rows before are written */
  async writeBatch(batch: Batch): Promise<void> {
    const bytes = this.#bytesOf(batch);
    let from = 0;
    let waitingRows = this.#waitingRows;
    let waitingBytes = this.#waitingBytes;
    for (let row = 0; row < bytes.length; row++) {
      const more = bytes[row]!;
      if (more > MAX_BYTES) {
        this.#add(batch, from, row, waitingBytes);
        throw new UnwritableRow(row, "the row has more than 2 GB");
      }
      if (waitingRows >= this.#batchRows || (waitingRows > 0 && waitingBytes + more > BATCH_BYTES)) {
        this.#add(batch, from, row, waitingBytes);
        this.#writeWaiting();
        from = row;
        waitingRows = 0;
        waitingBytes = 0;
      }
      waitingRows++;
      waitingBytes += more;
    }
    this.#add(batch, from, batch.length, waitingBytes);
    if (waitingRows >= this.#batchRows) this.#writeWaiting();
  }

  /** @param waitingBytes then */
  #add(batch: Batch, from: number, to: number, waitingBytes: number): void {
    this.#waitingBytes = waitingBytes;
    if (from === to) return;
    this.#waiting.push(to - from === batch.length ? batch : sliceBatch(batch, from, to));
    this.#waitingRows += to - from;
  }

  #writeWaiting(): void {
    if (this.#waitingRows === 0) return;
    const batch = this.#waiting.length === 1 ? this.#waiting[0]! : concatBatches(this.#waiting);
    this.#waiting = [];
    this.#waitingRows = 0;
    this.#waitingBytes = 0;
    const { parts, schemaParts } = this.#messages(batch);
    const offset = this.#sink.bytes;
    for (const part of parts.slice(schemaParts)) this.#sink.write(part);
    // Behind the mark.
    const prefix = parts[schemaParts + 1]!;
    const metaDataLength = 8 + Buffer.from(prefix.buffer, prefix.byteOffset, 4).readInt32LE(0);
    const { FileBlock } = this.#arrow;
    this.#blocks.push(new FileBlock(metaDataLength, this.#sink.bytes - offset - metaDataLength, offset));
    this.#rows += batch.length;
  }

  /** The message of the schema, and that of a batch, in the parts that the library writes. */
  #messages(batch: Batch | undefined): { parts: readonly Uint8Array[]; schemaParts: number } {
    const { StreamWriter, RecordBatch, makeData, Struct } = this.#arrow;
    const writer = new StreamWriter({ autoDestroy: false, compressionType: this.#compression });
    writer.reset(undefined, this.#schema);
    const { parts } = writer;
    const schemaParts = parts.length;
    if (!batch) return { parts, schemaParts };
    const children = this.#schema.fields.map((field) =>
      dataOf(this.#arrow, batch.columns[field.name]!, field.type as DataType, this.#features[field.name]!),
    );
    const type = new Struct(this.#schema.fields);
    writer.write(new RecordBatch(this.#schema, makeData({ type, length: batch.length, nullCount: 0, children })));
    return { parts, schemaParts };
  }

  async finish(): Promise<WrittenFile> {
    this.#writeWaiting();
    this.#sink.write(END_OF_STREAM);
    if (this.#isFile) this.#writeFooter();
    const sha256 = this.#sink.finish();
    return { rows: this.#rows, bytes: this.#sink.bytes, sha256 };
  }

  #writeFooter(): void {
    const { Footer, MetadataVersion } = this.#arrow;
    const footer = Footer.encode(new Footer(this.#schema, MetadataVersion.V5, this.#blocks, []));
    const length = Buffer.alloc(4);
    length.writeInt32LE(footer.length);
    for (const part of [footer, length, MAGIC]) this.#sink.write(part);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sink[Symbol.dispose]();
  }
}
