import type { ColumnChunk, FileMetaData, KeyValue, RowGroup } from "hyparquet";
import { type Batch, batchOf, type Row, sliceBatch } from "../../batch/batch.js";
import { bytesOf } from "../../batch/bytes-of.js";
import type { Features } from "../../features/feature.js";
import { FileSink } from "../../stores/file-sink.js";
import { metadataOf, storedFeatures } from "../arrow/metadata.js";
import { encodeSchemaMessage } from "../arrow/schema.js";
import type { CreateRequest, ShardWriter, WrittenFile } from "../format.js";
import type { PageLocation } from "./engine.js";
import { LeafWriter } from "./leaf-writer.js";
import { type LeafNode, leafFeature, leavesOf } from "./nodes.js";
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
  readonly #indexes: { chunk: ColumnChunk; offsetIndex: { page_locations: PageLocation[] } }[] = [];
  /** The leaves of the row group that is being written. */
  #leaves: ReadonlyMap<LeafNode, LeafWriter>;
  #groupRowsSoFar = 0;
  #groupBytes = 0;
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
    this.#leaves = this.#newLeaves();
    this.#sink = new FileSink(request.path);
    this.#sink.write(MAGIC);
  }

  async writeRows(rows: readonly Row[]): Promise<void> {
    if (rows.length > 0) await this.writeBatch(batchOf(rows, this.#features));
  }

  async writeBatch(batch: Batch): Promise<void> {
    for (let at = 0; at < batch.length; ) {
      const count = Math.min(batch.length - at, this.#groupRows - this.#groupRowsSoFar);
      const part = count === batch.length ? batch : sliceBatch(batch, at, at + count);
      for (const [name, node] of this.#schema.nodes)
        for (const shredded of shredColumn(node, part.columns[name]!)) this.#leaves.get(shredded.leaf)!.add(shredded);
      this.#groupRowsSoFar += count;
      this.#groupBytes += bytesOf(part.columns);
      at += count;
      if (this.#groupRowsSoFar >= this.#groupRows || this.#groupBytes >= GROUP_BYTES) this.#endGroup();
    }
  }

  #newLeaves(): ReadonlyMap<LeafNode, LeafWriter> {
    const [engine, codec] = [this.#engine, this.#codec];
    const leaves = this.#schema.nodes.flatMap(([name, node]) =>
      leavesOf(node).map((leaf) => {
        const feature = leafFeature(this.#features[name]!, node, leaf);
        return [leaf, new LeafWriter({ engine, codec, leaf, feature })] as const;
      }),
    );
    return new Map(leaves);
  }

  #endGroup(): void {
    if (this.#groupRowsSoFar === 0) return;
    const from = this.#sink.bytes;
    const columns = [...this.#leaves.values()].map((leaf) => {
      const { chunk, locations } = leaf.finish(this.#sink);
      this.#indexes.push({ chunk, offsetIndex: { page_locations: locations } });
      return chunk;
    });
    const size = columns.reduce((sum, { meta_data }) => sum + meta_data!.total_uncompressed_size, 0n);
    this.#groups.push({
      columns,
      total_byte_size: size,
      num_rows: BigInt(this.#groupRowsSoFar),
      total_compressed_size: BigInt(this.#sink.bytes - from),
      file_offset: BigInt(from),
    });
    this.#rows += this.#groupRowsSoFar;
    this.#leaves = this.#newLeaves();
    this.#groupRowsSoFar = 0;
    this.#groupBytes = 0;
  }

  async finish(): Promise<WrittenFile> {
    this.#endGroup();
    this.#writeIndexes();
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

  /** Where pages lie, for readers that want some rows only. The chunks get to know where it stands. */
  #writeIndexes(): void {
    const writer = new this.#engine.ByteWriter();
    const from = this.#sink.bytes;
    this.#engine.writeIndexes(writer, this.#indexes);
    for (const { chunk } of this.#indexes)
      if (chunk.offset_index_offset !== undefined) chunk.offset_index_offset += BigInt(from);
    this.#sink.write(writer.getBytes());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sink[Symbol.dispose]();
  }
}

const CREATED_BY = "kagurazaka";
