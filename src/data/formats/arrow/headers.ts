import { FlatTable, longAt } from "./flatbuffer.js";

/** What the metadata of a message say (format/Message.fbs). */
export interface Message {
  readonly kind: "schema" | "dictionary" | "batch" | "other";
  readonly bodyBytes: number;
  readonly header: FlatTable;
}

/** The values of columns, depth first: a node for each array, and the buffers of all. */
export interface BatchHeader {
  readonly rows: number;
  readonly nodes: readonly { readonly length: number; readonly nulls: number }[];
  /** Places in the body. */
  readonly buffers: readonly BufferPlace[];
  readonly codec: "lz4" | "zstd" | undefined;
  /** For each array of views: how many buffers its views point to. */
  readonly viewBuffers: readonly number[];
}

export interface BufferPlace {
  readonly offset: number;
  readonly length: number;
}

interface DictionaryHeader {
  readonly id: number;
  readonly isDelta: boolean;
  readonly batch: BatchHeader;
}

const MAX_ROWS = 2 ** 31 - 1;
const V4 = 3;
const V5 = 4;
const kinds = ["other", "schema", "dictionary", "batch"] as const;

/** @param metadata of a message, behind its prefix. @throws Error for damage */
export function messageOf(metadata: Buffer): Message {
  const root = FlatTable.root(metadata);
  const version = root.short(0);
  const header = root.table(2);
  const bodyBytes = root.long(3);
  if (!header || bodyBytes < 0 || version < 0 || version > V5) throw new Error("the metadata of a message are damaged");
  if (version < V4) throw new Error("it was written by a version of Arrow before 0.8, which is not supported");
  return { kind: kinds[root.byte(1)] ?? "other", bodyBytes, header };
}

/** @throws Error for counts that cannot be, and buffers outside of the body */
export function batchHeaderOf({ header, bodyBytes }: Pick<Message, "header" | "bodyBytes">): BatchHeader {
  const rows = rowsOf(header);
  const nodes = header.structs(1, 16, (bytes, at) => ({ length: longAt(bytes, at), nulls: longAt(bytes, at + 8) }));
  const buffers = header.structs(2, 16, (bytes, at) => ({ offset: longAt(bytes, at), length: longAt(bytes, at + 8) }));
  for (const { length, nulls } of nodes)
    if (length < 0 || length > MAX_ROWS || nulls > length) throw new Error("an array has a length that cannot be");
  for (const { offset, length } of buffers)
    if (offset < 0 || length < 0 || offset + length > bodyBytes)
      throw new Error("a buffer lies outside of its message");
  const compression = header.table(3);
  if (compression && compression.byte(1) !== 0) throw new Error("it is compressed in a way that is not known");
  const codec = compression && (["lz4", "zstd"] as const)[compression.byte(0)];
  if (compression && !codec) throw new Error("it is compressed by a codec that is not known");
  const viewBuffers = header.structs(4, 8, longAt);
  return { rows, nodes, buffers, codec, viewBuffers };
}

/** The rows of a record batch, without the rest of its header. */
export function rowsOf(header: FlatTable): number {
  const rows = header.long(0);
  if (rows < 0 || rows > MAX_ROWS) throw new Error(`a record batch cannot have ${rows} rows`);
  return rows;
}

export function dictionaryOf({ header }: Pick<Message, "header">): Pick<DictionaryHeader, "id" | "isDelta"> {
  return { id: header.long(0), isDelta: header.byte(2) !== 0 };
}

export function dictionaryHeaderOf({ header, bodyBytes }: Message): DictionaryHeader {
  const batch = header.table(1);
  if (!batch) throw new Error("a dictionary has no values");
  return { ...dictionaryOf({ header }), batch: batchHeaderOf({ header: batch, bodyBytes }) };
}
