import type { DataType, Schema } from "apache-arrow";
import type { FileBlock } from "apache-arrow/ipc/metadata/file";
import { type Batch, batchOf, type Row, sliceBatch } from "../../batch/batch.js";
import { concatBatches } from "../../batch/concat.js";
import type { Features } from "../../features/feature.js";
import { FileSink } from "../../stores/file-sink.js";
import type { CreateRequest, ShardWriter, WrittenFile } from "../format.js";
import { dataOf } from "./build.js";
import { type ArrowEngine, loadArrow } from "./engine.js";
import { storedFeatures } from "./metadata.js";
import { schemaOf } from "./schema.js";

/** Rows of a record batch. */
const BATCH_ROWS = 10_000;
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
  readonly #compression: number | null;
  readonly #batchRows: number;
  readonly #isFile: boolean;
  readonly #sink: FileSink;
  readonly #blocks: FileBlock[] = [];
  #waiting: Batch[] = [];
  #waitingRows = 0;
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
    this.#compression =
      compression === "zstd" ? CompressionType.ZSTD : compression === "lz4" ? CompressionType.LZ4_FRAME : null;
    this.#batchRows = groupRows ?? BATCH_ROWS;
    this.#isFile = container === "file";
    this.#sink = new FileSink(path);
    if (this.#isFile) this.#sink.write(Buffer.concat([MAGIC, Buffer.alloc(2)]));
    this.#sink.write(this.#messages([])[0]!);
  }

  async writeRows(rows: readonly Row[]): Promise<void> {
    if (rows.length > 0) await this.writeBatch(batchOf(rows, this.#features));
  }

  async writeBatch(batch: Batch): Promise<void> {
    for (let at = 0; at < batch.length; ) {
      const count = Math.min(batch.length - at, this.#batchRows - this.#waitingRows);
      this.#waiting.push(count === batch.length ? batch : sliceBatch(batch, at, at + count));
      this.#waitingRows += count;
      at += count;
      if (this.#waitingRows >= this.#batchRows) this.#writeWaiting();
    }
  }

  #writeWaiting(): void {
    if (this.#waitingRows === 0) return;
    const batch = this.#waiting.length === 1 ? this.#waiting[0]! : concatBatches(this.#waiting);
    const message = this.#messages([batch])[1]!;
    const metaDataLength = 8 + message.readInt32LE(4);
    const { FileBlock } = this.#arrow;
    this.#blocks.push(new FileBlock(metaDataLength, message.length - metaDataLength, this.#sink.bytes));
    this.#sink.write(message);
    this.#rows += batch.length;
    this.#waiting = [];
    this.#waitingRows = 0;
  }

  /** The message of the schema, and those of batches. */
  #messages(batches: readonly Batch[]): Buffer[] {
    const { StreamWriter, RecordBatch, makeData, Struct } = this.#arrow;
    const writer = new StreamWriter({ autoDestroy: false, compressionType: this.#compression });
    writer.reset(undefined, this.#schema);
    for (const batch of batches) {
      const children = this.#schema.fields.map((field) =>
        dataOf(this.#arrow, batch.columns[field.name]!, field.type as DataType, this.#features[field.name]!),
      );
      writer.write(
        new RecordBatch(
          this.#schema,
          makeData({ type: new Struct(this.#schema.fields), length: batch.length, nullCount: 0, children }),
        ),
      );
    }
    writer.finish();
    const bytes = Buffer.from(writer.toUint8Array(true));
    const border = 8 + bytes.readInt32LE(4);
    return [bytes.subarray(0, border), bytes.subarray(border, bytes.length - END_OF_STREAM.length)];
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
