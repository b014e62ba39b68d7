import type { ColumnChunk, Encoding } from "hyparquet";
import type { Feature } from "../../features/feature.js";
import type { FileSink } from "../../stores/file-sink.js";
import { bitWidth, writeHybrid, writeRun } from "./levels.js";
import type { ShreddedLeaf } from "./shred.js";
import { type Stored, storedValues } from "./store-values.js";
import type { Codec, WriteEngine } from "./write-engine.js";

const PAGE_BYTES = 1 << 20;
/** Values that are looked at before a dictionary is given up. */
const DICTIONARY_TRIAL = 1000;
const MAX_DICTIONARY = 1 << 16;

interface Target {
  readonly sink: FileSink;
  readonly engine: WriteEngine;
  readonly codec: Codec;
}

/** Writes a leaf of a row group as pages. */
export function writeChunk(target: Target, shredded: ShreddedLeaf, feature: Feature): ColumnChunk {
  const { sink, codec } = target;
  const { leaf, entries, def } = shredded;
  const from = sink.bytes;
  const out = new PageWriter(target);
  const dictionary = dictionaryOf(shredded.values);
  const stored = storedValues(dictionary?.values ?? shredded.values, leaf.element, feature);
  const isFixed = leaf.element.type === "FIXED_LEN_BYTE_ARRAY";
  if (dictionary) out.dictionary(stored.length, plainBytes(stored, 0, stored.length, isFixed));
  const dataFrom = sink.bytes;
  for (const page of pagesOf(shredded, dictionary?.indices ?? stored)) {
    const values = dictionary
      ? indexBytes(dictionary, page.valueFrom, page.valueTo)
      : plainBytes(stored, page.valueFrom, page.valueTo, isFixed);
    const body = Buffer.concat([...levelBytes(shredded, page.from, page.to), values]);
    out.data(page.to - page.from, dictionary ? "RLE_DICTIONARY" : "PLAIN", body);
  }
  return {
    file_offset: BigInt(from),
    meta_data: {
      type: leaf.element.type!,
      encodings: dictionary ? ["PLAIN", "RLE", "RLE_DICTIONARY"] : ["PLAIN", "RLE"],
      path_in_schema: [...leaf.path],
      codec: codec.name,
      num_values: BigInt(entries),
      total_uncompressed_size: BigInt(out.uncompressed),
      total_compressed_size: BigInt(sink.bytes - from),
      data_page_offset: BigInt(dataFrom),
      ...(dictionary && { dictionary_page_offset: BigInt(from) }),
      statistics: { null_count: BigInt(def ? entries - shredded.values.length : 0) },
    },
  };
}

class PageWriter {
  readonly #target: Target;
  /** Bytes of headers and of pages before they were packed. */
  uncompressed = 0;

  constructor(target: Target) {
    this.#target = target;
  }

  dictionary(count: number, body: Buffer): void {
    this.#put({ type: "DICTIONARY_PAGE", dictionary_page_header: { num_values: count, encoding: "PLAIN" } }, body);
  }

  data(count: number, encoding: Encoding, body: Buffer): void {
    const levels = { definition_level_encoding: "RLE", repetition_level_encoding: "RLE" } as const;
    this.#put({ type: "DATA_PAGE", data_page_header: { num_values: count, encoding, ...levels } }, body);
  }

  #put(
    header: Omit<Parameters<WriteEngine["writePageHeader"]>[1], "uncompressed_page_size" | "compressed_page_size">,
    body: Buffer,
  ): void {
    const { sink, engine, codec } = this.#target;
    const packed = body.length === 0 ? body : codec.compress(body);
    const writer = new engine.ByteWriter(64);
    engine.writePageHeader(writer, {
      ...header,
      uncompressed_page_size: body.length,
      compressed_page_size: packed.length,
    });
    sink.write(writer.getBytes());
    sink.write(packed);
    this.uncompressed += writer.offset + body.length;
  }
}

interface Dictionary {
  readonly values: readonly string[];
  readonly indices: Int32Array;
  readonly width: number;
}

/** For texts that repeat. */
function dictionaryOf(values: ArrayLike<unknown>): Dictionary | undefined {
  if (values.length < 16 || typeof values[0] !== "string") return undefined;
  const known = new Map<string, number>();
  const indices = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as string;
    let index = known.get(value);
    if (index === undefined) {
      index = known.size;
      known.set(value, index);
      if (known.size > MAX_DICTIONARY || (i === DICTIONARY_TRIAL && known.size > DICTIONARY_TRIAL / 2))
        return undefined;
    }
    indices[i] = index;
  }
  if (known.size > values.length / 2) return undefined;
  return { values: [...known.keys()], indices, width: Math.max(1, bitWidth(known.size - 1)) };
}

function indexBytes({ indices, width }: Dictionary, from: number, to: number): Buffer {
  return Buffer.concat([Buffer.from([width]), writeHybrid(indices, from, to, width)]);
}

interface PageCut {
  readonly from: number;
  readonly to: number;
  readonly valueFrom: number;
  readonly valueTo: number;
}

/** Pages of about 1 MB. Each begins with a row. */
function* pagesOf({ def, rep, entries, leaf }: ShreddedLeaf, stored: Stored | Int32Array): Generator<PageCut> {
  const width = ArrayBuffer.isView(stored) ? stored.BYTES_PER_ELEMENT : 0;
  let [from, valueFrom, value, bytes] = [0, 0, 0, 0];
  for (let entry = 0; entry < entries; entry++) {
    if (bytes >= PAGE_BYTES && (rep === undefined || rep[entry] === 0)) {
      yield { from, to: entry, valueFrom, valueTo: value };
      [from, valueFrom, bytes] = [entry, value, 0];
    }
    if (def !== undefined && def[entry] !== leaf.ownDef) continue;
    bytes += width || sizeOf(stored[value]);
    value++;
  }
  yield { from, to: entries, valueFrom, valueTo: value };
}

const sizeOf = (value: unknown): number => (value instanceof Uint8Array ? value.length + 4 : 1 / 8);

/** Before the values: repetition, then definition, each with its length. */
function levelBytes({ leaf, def, rep }: ShreddedLeaf, from: number, to: number): Buffer[] {
  const levels: Buffer[] = [];
  if (leaf.rep > 0) levels.push(writeHybrid(rep!, from, to, bitWidth(leaf.rep)));
  if (leaf.ownDef > 0) {
    const width = bitWidth(leaf.ownDef);
    levels.push(def ? writeHybrid(def, from, to, width) : writeRun(leaf.ownDef, to - from, width));
  }
  return levels.flatMap((packed) => {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(packed.length);
    return [length, packed];
  });
}

function plainBytes(stored: Stored, from: number, to: number, isFixed: boolean): Buffer {
  if (ArrayBuffer.isView(stored)) {
    const part = (stored as Int32Array).subarray(from, to);
    return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  }
  if (from < to && typeof stored[from] === "boolean") return bitBytes(stored as readonly boolean[], from, to);
  return byteArrays(stored as readonly Uint8Array[], from, to, isFixed);
}

function bitBytes(bits: readonly boolean[], from: number, to: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil((to - from) / 8));
  for (let i = from; i < to; i++) if (bits[i]) bytes[(i - from) >> 3]! |= 1 << ((i - from) & 7);
  return bytes;
}

function byteArrays(values: readonly Uint8Array[], from: number, to: number, isFixed: boolean): Buffer {
  let size = 0;
  for (let i = from; i < to; i++) size += values[i]!.length + (isFixed ? 0 : 4);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (!isFixed) at = bytes.writeUInt32LE(value.length, at);
    bytes.set(value, at);
    at += value.length;
  }
  return bytes;
}
