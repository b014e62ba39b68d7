import type { FileMetaData, KeyValue, RowGroup } from "hyparquet";
import { type Batch, batchOf, type Row, sliceBatch } from "../../batch/batch.js";
import { concatBatches } from "../../batch/concat.js";
import type { Features } from "../../features/feature.js";
import { FileSink } from "../../stores/file-sink.js";
import { metadataOf, storedFeatures } from "../arrow/metadata.js";
import { encodeSchemaMessage } from "../arrow/schema.js";
import type { CreateRequest, ShardWriter, WrittenFile } from "../format.js";
import { writeChunk } from "./encode.js";
import { leafFeature } from "./nodes.js";
import { schemaNodesOf, type WrittenSchema } from "./schema-nodes.js";
import { shredColumn } from "./shred.js";
import { type Codec, codecNamed, loadWriteEngine, type WriteEngine } from "./write-engine.js";

const MAGIC = Buffer.from("PAR1");
/** Rows of a row group, where its values are smaller than `GROUP_BYTES`. */
const GROUP_ROWS = 100_000;
const GROUP_BYTES = 64 << 20;

export async function openParquetWriter(request: CreateRequest): Promise<ShardWriter> {
  const features = request.features ?? {};
  const engine = await loadWriteEngine();
  const codec = await codecNamed(request.compression, engine);
  const metadata = [
    { key: "ARROW:schema", value: await encodeSchemaMessage(features) },
    ...metadataOf(features).map(([key, value]) => ({ key, value })),
  ];
  return new ParquetWriter({ ...request, features: storedFeatures(features) }, engine, codec, metadata);
}

class ParquetWriter implements ShardWriter {
  readonly #features: Features;
  readonly #groupRows: number;
  readonly #engine: WriteEngine;
  readonly #codec: Codec;
  readonly #schema: WrittenSchema;
  readonly #metadata: KeyValue[];
  readonly #sink: FileSink;
  readonly #groups: RowGroup[] = [];
  #waiting: Batch[] = [];
  #waitingRows = 0;
  #waitingBytes = 0;
  #rows = 0;

  constructor(
    request: CreateRequest & { features: Features },
    engine: WriteEngine,
    codec: Codec,
    metadata: KeyValue[],
  ) {
    this.#features = request.features;
    this.#groupRows = request.groupRows ?? GROUP_ROWS;
    this.#engine = engine;
    this.#codec = codec;
    this.#metadata = metadata;
    this.#schema = schemaNodesOf(request.features);
    this.#sink = new FileSink(request.path);
    this.#sink.write(MAGIC);
  }

  async writeRows(rows: readonly Row[]): Promise<void> {
    if (rows.length > 0) await this.writeBatch(batchOf(rows, this.#features));
  }

  async writeBatch(batch: Batch): Promise<void> {
    for (let at = 0; at < batch.length; ) {
      const count = Math.min(batch.length - at, this.#groupRows - this.#waitingRows);
      const part = count === batch.length ? batch : sliceBatch(batch, at, at + count);
      this.#waiting.push(part);
      this.#waitingRows += count;
      this.#waitingBytes += bytesOf(part);
      at += count;
      if (this.#waitingRows >= this.#groupRows || this.#waitingBytes >= GROUP_BYTES) this.#writeGroup();
    }
  }

  #writeGroup(): void {
    if (this.#waitingRows === 0) return;
    const batch = this.#waiting.length === 1 ? this.#waiting[0]! : concatBatches(this.#waiting);
    const from = this.#sink.bytes;
    const target = { sink: this.#sink, engine: this.#engine, codec: this.#codec };
    const columns = this.#schema.nodes.flatMap(([name, node]) =>
      shredColumn(node, batch.columns[name]!).map((leaf) =>
        writeChunk(target, leaf, leafFeature(this.#features[name]!, node, leaf.leaf)),
      ),
    );
    const size = columns.reduce((sum, { meta_data }) => sum + meta_data!.total_uncompressed_size, 0n);
    this.#groups.push({
      columns,
      total_byte_size: size,
      num_rows: BigInt(batch.length),
      total_compressed_size: BigInt(this.#sink.bytes - from),
      file_offset: BigInt(from),
    });
    this.#rows += batch.length;
    this.#waiting = [];
    this.#waitingRows = 0;
    this.#waitingBytes = 0;
  }

  async finish(): Promise<WrittenFile> {
    this.#writeGroup();
    const writer = new this.#engine.ByteWriter();
    const footer: Omit<FileMetaData, "metadata_length"> = {
      version: 2,
      created_by: CREATED_BY,
      schema: this.#schema.elements,
      num_rows: BigInt(this.#rows),
      row_groups: this.#groups,
      key_value_metadata: this.#metadata,
    };
    this.#engine.writeMetadata(writer, footer as FileMetaData);
    this.#sink.write(writer.getBytes());
    this.#sink.write(MAGIC);
    const sha256 = this.#sink.finish();
    return { rows: this.#rows, bytes: this.#sink.bytes, sha256 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sink[Symbol.dispose]();
  }
}

const CREATED_BY = "kagurazaka";

/** About how much memory the values of a batch take: enough to bound a row group. */
function bytesOf(batch: Batch): number {
  let bytes = 0;
  for (const column of Object.values(batch.columns)) {
    if (ArrayBuffer.isView(column)) bytes += column.byteLength;
    else for (const value of column) bytes += sizeOf(value);
  }
  return bytes;
}

function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + sizeOf(one), 8);
  return Object.values(value).reduce<number>((sum, one) => sum + sizeOf(one), 8);
}
