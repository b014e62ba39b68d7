import type { ColumnMetaData, PageHeader } from "hyparquet";
import { joinValues } from "../../batch/concat.js";
import type { Feature } from "../../features/feature.js";
import type { Engine } from "./engine.js";
import { bitWidth, isOneRun, readHybrid } from "./levels.js";
import { maxLevels } from "./max-levels.js";
import type { LeafNode } from "./nodes.js";
import { type Dense, joinByteArrays, pick, readPlain } from "./plain.js";
import { convertDense } from "./values.js";

/** A column chunk, taken out of its pages. */
export interface LeafData {
  /** The values that are not null, as rows have them. */
  readonly values: ArrayLike<unknown>;
  /** Of every entry; undefined where all are there. */
  readonly def: Uint8Array | undefined;
  /** Undefined outside of lists. */
  readonly rep: Uint8Array | undefined;
  readonly entries: number;
  readonly maxDef: number;
}

interface Page {
  readonly values: ArrayLike<unknown>;
  readonly def: Uint8Array | undefined;
  readonly rep: Uint8Array | undefined;
  readonly entries: number;
}

/** @throws Error for damaged pages, and for encodings and codecs that are not known */
export function readColumnChunk(
  engine: Engine,
  bytes: Uint8Array,
  leaf: LeafNode,
  chunk: ColumnMetaData,
  feature: Feature,
): LeafData {
  const levels = maxLevels(leaf);
  const entries = Number(chunk.num_values);
  const pages: Page[] = [];
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  let dictionary: ArrayLike<unknown> | undefined;
  for (let seen = 0; seen < entries; ) {
    if (reader.offset >= bytes.length) throw new Error(`it has ${seen} of ${entries} values`);
    const header = engine.parquetHeader(reader);
    const size = header.compressed_page_size;
    if (!(size >= 0) || reader.offset + size > bytes.length) throw new Error("a page is larger than its column");
    const body = bytes.subarray(reader.offset, reader.offset + size);
    reader.offset += size;
    const decoder = new PageDecoder(engine, leaf, chunk.codec, levels, feature);
    if (header.type === "DICTIONARY_PAGE") {
      dictionary = decoder.dictionary(body, header);
      continue;
    }
    // Index pages, and kinds that do not exist yet.
    if (header.type !== "DATA_PAGE" && header.type !== "DATA_PAGE_V2") continue;
    const page =
      header.type === "DATA_PAGE" ? decoder.pageV1(body, header, dictionary) : decoder.pageV2(body, header, dictionary);
    pages.push(page);
    seen += page.entries;
  }
  return { ...joinPages(pages, levels), entries, maxDef: levels.def };
}

function joinPages(pages: readonly Page[], levels: { def: number }): Omit<LeafData, "entries" | "maxDef"> {
  if (pages.length === 1) return pages[0]!;
  const hasDef = pages.some(({ def }) => def !== undefined);
  return {
    values: joinValues(pages.map(({ values }) => values)),
    def: hasDef
      ? joinBytes(pages.map(({ def, entries }) => def ?? new Uint8Array(entries).fill(levels.def)))
      : undefined,
    rep: pages.some(({ rep }) => rep !== undefined)
      ? joinBytes(pages.map(({ rep, entries }) => rep ?? new Uint8Array(entries)))
      : undefined,
  };
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

class PageDecoder {
  readonly #engine: Engine;
  readonly #leaf: LeafNode;
  readonly #codec: string;
  readonly #levels: { readonly def: number; readonly rep: number };

  readonly #feature: Feature;

  constructor(engine: Engine, leaf: LeafNode, codec: string, levels: { def: number; rep: number }, feature: Feature) {
    this.#feature = feature;
    this.#engine = engine;
    this.#leaf = leaf;
    this.#codec = codec;
    this.#levels = levels;
  }

  dictionary(body: Uint8Array, header: PageHeader): ArrayLike<unknown> {
    const bytes = this.#unpack(body, header.uncompressed_page_size);
    return this.#convert(readPlain(bytes, 0, header.dictionary_page_header!.num_values, this.#leaf.element));
  }

  #convert(dense: Dense): ArrayLike<unknown> {
    return convertDense(dense, this.#leaf.element, this.#feature);
  }

  pageV1(body: Uint8Array, header: PageHeader, dictionary: ArrayLike<unknown> | undefined): Page {
    const { num_values: entries, encoding } = header.data_page_header!;
    const bytes = this.#unpack(body, header.uncompressed_page_size);
    let at = 0;
    const level = (most: number, read: typeof readLevels): Uint8Array | undefined => {
      if (most === 0) return undefined;
      const length = uint32(bytes, at);
      const levels = read(bytes.subarray(0, at + 4 + length), at + 4, most, entries);
      at += 4 + length;
      return levels;
    };
    const rep = level(this.#levels.rep, readLevels);
    const def = level(this.#levels.def, readDefinitions);
    return this.#page(bytes.subarray(at), { rep, def, entries, encoding }, dictionary);
  }

  /** Levels come first and are never packed. */
  pageV2(body: Uint8Array, header: PageHeader, dictionary: ArrayLike<unknown> | undefined): Page {
    const v2 = header.data_page_header_v2!;
    const {
      num_values: entries,
      encoding,
      repetition_levels_byte_length: repBytes,
      definition_levels_byte_length: defBytes,
    } = v2;
    const levels = (most: number, from: number, length: number, read: typeof readLevels): Uint8Array | undefined => {
      if (most === 0) return undefined;
      return read(body.subarray(0, from + length), from, most, entries);
    };
    const rep = levels(this.#levels.rep, 0, repBytes, readLevels);
    const def = levels(this.#levels.def, repBytes, defBytes, readDefinitions);
    const rest = body.subarray(repBytes + defBytes);
    const size = header.uncompressed_page_size - repBytes - defBytes;
    const bytes = v2.is_compressed === false || rest.length === 0 ? rest : this.#unpack(rest, size);
    return this.#page(bytes, { rep, def, entries, encoding }, dictionary);
  }

  #page(
    bytes: Uint8Array,
    page: Omit<Page, "values"> & { encoding: string },
    dictionary: ArrayLike<unknown> | undefined,
  ): Page {
    const { entries, rep, encoding } = page;
    const present = page.def ? countOf(page.def, this.#levels.def) : entries;
    const def = present === entries ? undefined : page.def;
    return { values: this.#values(bytes, encoding, present, dictionary), def, rep, entries };
  }

  #values(
    bytes: Uint8Array,
    encoding: string,
    count: number,
    dictionary: ArrayLike<unknown> | undefined,
  ): ArrayLike<unknown> {
    if (encoding !== "PLAIN_DICTIONARY" && encoding !== "RLE_DICTIONARY")
      return this.#convert(this.#dense(bytes, encoding, count));
    if (!dictionary) throw new Error("a page refers to a dictionary that is not there");
    const indices = new Int32Array(count);
    if (count > 0 && bytes[0]! > 0) readHybrid(bytes, 1, bytes[0]!, indices);
    return pick(dictionary, indices);
  }

  #dense(bytes: Uint8Array, encoding: string, count: number): Dense {
    const { element } = this.#leaf;
    if (encoding === "PLAIN") return readPlain(bytes, 0, count, element);
    if (encoding === "RLE") {
      const bits = new Uint8Array(count);
      if (count > 0) readHybrid(bytes, 4, 1, bits);
      return Array.from(bits, (bit) => bit === 1);
    }
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
    if (encoding === "DELTA_BINARY_PACKED") {
      const values = element.type === "INT32" ? new Int32Array(count) : new BigInt64Array(count);
      if (count > 0) this.#engine.deltaBinaryUnpack(reader, count, values);
      return values;
    }
    if (encoding === "DELTA_LENGTH_BYTE_ARRAY" || encoding === "DELTA_BYTE_ARRAY") {
      const values = new Array<Uint8Array>(count);
      const read = encoding === "DELTA_BYTE_ARRAY" ? this.#engine.deltaByteArray : this.#engine.deltaLengthByteArray;
      if (count > 0) read(reader, count, values);
      return joinByteArrays(values);
    }
    if (encoding !== "BYTE_STREAM_SPLIT") throw new Error(`the encoding ${encoding} is not known`);
    const values = this.#engine.byteStreamSplit(reader, count, element.type!, element.type_length);
    return Array.isArray(values) ? joinByteArrays(values as Uint8Array[]) : (values as Dense);
  }

  #unpack(bytes: Uint8Array, size: number): Uint8Array {
    if (this.#codec === "UNCOMPRESSED" || size === 0) return bytes;
    const decompress = this.#engine.decompressors[this.#codec];
    if (!decompress) throw new Error(`the codec ${this.#codec} is not known`);
    const { buffer, byteOffset, length } = decompress(bytes, size);
    if (length !== size) throw new Error(`a page unpacks to ${length} bytes, not ${size}`);
    // No Buffer: its slices are views, and its memory may be used again.
    return new Uint8Array(buffer, byteOffset, length);
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw new Error("a page ends in the middle of its levels");
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
}

function readLevels(bytes: Uint8Array, from: number, most: number, entries: number): Uint8Array | undefined {
  const levels = new Uint8Array(entries);
  readHybrid(bytes, from, bitWidth(most), levels);
  return levels;
}

/** Undefined: every value is there, as one run of the highest level says. */
const readDefinitions: typeof readLevels = (bytes, from, most, entries) =>
  isOneRun(bytes, from, most, entries) ? undefined : readLevels(bytes, from, most, entries);

function countOf(levels: Uint8Array, level: number): number {
  let count = 0;
  for (let i = 0; i < levels.length; i++) if (levels[i] === level) count++;
  return count;
}
