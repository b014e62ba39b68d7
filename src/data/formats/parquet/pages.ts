import type { PageHeader } from "hyparquet";
import type { Feature } from "../../features/feature.js";
import type { Engine } from "./engine.js";
import { bitWidth, isOneRun, readHybrid } from "./levels.js";
import type { LeafNode } from "./nodes.js";
import { type Dense, joinByteArrays, pick, readPlain, sliceDense } from "./plain.js";
import { convertDense } from "./values.js";

/** A data page: its levels are decoded, its values when they are asked for. */
export interface Page {
  readonly entries: number;
  /** Of every entry; undefined where all are there. */
  readonly def: Uint8Array | undefined;
  /** Undefined outside of lists. */
  readonly rep: Uint8Array | undefined;
  /** Values that are not null, as rows have them: some of them, by their numbers in the page. */
  values(from: number, to: number): ArrayLike<unknown>;
}

type Levels = Omit<Page, "values">;

/** Rows that a page holds, as far as its header tells: pages of nested columns may begin in the middle of a row. */
export function rowsOfHeader(
  { data_page_header: v1, data_page_header_v2: v2 }: PageHeader,
  leaf: LeafNode,
): number | undefined {
  return v2?.num_rows ?? (leaf.rep === 0 ? v1?.num_values : undefined);
}

/** Decodes the pages of a leaf of one row group. @throws Error for damaged pages, and for encodings and codecs that are not known */
export class PageDecoder {
  readonly #engine: Engine;
  readonly #leaf: LeafNode;
  readonly #codec: string;
  /** Of a value that is there. */
  readonly #levels: { readonly def: number; readonly rep: number };
  readonly #feature: Feature;
  #dictionary: ArrayLike<unknown> | undefined;

  constructor(engine: Engine, leaf: LeafNode, codec: string, feature: Feature) {
    this.#engine = engine;
    this.#leaf = leaf;
    this.#codec = codec;
    this.#levels = { def: leaf.ownDef, rep: leaf.rep };
    this.#feature = feature;
  }

  /** A data page; undefined for others: a dictionary is kept, and kinds that are not known are passed over. */
  page(body: Uint8Array, header: PageHeader): Page | undefined {
    switch (header.type) {
      case "DICTIONARY_PAGE":
        this.#dictionary = this.#convert(
          readPlain(
            this.#unpack(body, header.uncompressed_page_size),
            0,
            header.dictionary_page_header!.num_values,
            this.#leaf.element,
          ),
        );
        return undefined;
      case "DATA_PAGE":
        return this.#pageV1(body, header);
      case "DATA_PAGE_V2":
        return this.#pageV2(body, header);
      default:
        return undefined;
    }
  }

  #convert(dense: Dense): ArrayLike<unknown> {
    return convertDense(dense, this.#leaf.element, this.#feature);
  }

  #pageV1(body: Uint8Array, header: PageHeader): Page {
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
    return this.#page(bytes.subarray(at), { rep, def, entries }, encoding);
  }

  /** Levels come first and are never packed. */
  #pageV2(body: Uint8Array, header: PageHeader): Page {
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
    return this.#page(bytes, { rep, def, entries }, encoding);
  }

  #page(bytes: Uint8Array, levels: Levels, encoding: string): Page {
    const { entries, rep } = levels;
    const present = levels.def ? countOf(levels.def, this.#levels.def) : entries;
    const def = present === entries ? undefined : levels.def;
    return { entries, rep, def, values: this.#values(bytes, encoding, present) };
  }

  #values(bytes: Uint8Array, encoding: string, count: number): Page["values"] {
    if (encoding !== "PLAIN_DICTIONARY" && encoding !== "RLE_DICTIONARY") {
      const dense = this.#dense(bytes, encoding, count);
      return (from, to) => this.#convert(sliceDense(dense, from, to));
    }
    const dictionary = this.#dictionary;
    if (!dictionary) throw new Error("a page refers to a dictionary that is not there");
    const indices = new Int32Array(count);
    if (count > 0 && bytes[0]! > 0) readHybrid(bytes, 1, bytes[0]!, indices);
    return (from, to) => pick(dictionary, indices.subarray(from, to));
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

/** How many entries are values. */
export function countOf(levels: Uint8Array, level: number, from = 0, to = levels.length): number {
  let count = 0;
  for (let i = from; i < to; i++) if (levels[i] === level) count++;
  return count;
}
