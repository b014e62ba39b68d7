import type { ColumnChunk, Encoding } from "hyparquet";
import { GrowingBytes } from "../../bytes/growing-bytes.js";
import type { Feature } from "../../features/feature.js";
import { isA } from "../../features/feature.js";
import type { FileSink } from "../../stores/file-sink.js";
import type { PageLocation } from "./engine.js";
import { bitWidth, writeHybrid, writeRun } from "./levels.js";
import type { LeafNode } from "./nodes.js";
import { PlainValues, TextDictionary } from "./page-values.js";
import type { ShreddedLeaf } from "./shred.js";
import { type Stored, storedValues } from "./store-values.js";
import type { Codec, WriteEngine } from "./write-engine.js";

const PAGE_BYTES = 1 << 20;
/** Texts that are looked at before they get a dictionary, or none. */
const TRIAL_TEXTS = 1000;
/** Of fewer texts none is made. */
const MIN_TEXTS = 16;
/** A dictionary that has grown so large is given up for the pages behind. */
const MAX_DICTIONARY_BYTES = 1 << 20;
const MAX_DICTIONARY_TEXTS = 1 << 16;

interface LeafWriterOptions {
  readonly engine: WriteEngine;
  readonly codec: Codec;
  readonly leaf: LeafNode;
  readonly feature: Feature;
}

interface WrittenPage {
  readonly bytes: readonly [header: Uint8Array, body: Uint8Array];
  readonly firstRow: number;
}

/** Writes a leaf of one row group. What memory holds of it is packed pages, and the page that is being filled. */
export class LeafWriter {
  readonly #options: LeafWriterOptions;
  readonly #isText: boolean;
  readonly #pages: WrittenPage[] = [];
  readonly #plain: PlainValues;
  /** The first texts, as long as it is open whether they get a dictionary. */
  #trial: string[] | undefined;
  #dictionary: TextDictionary | undefined;
  /** Texts behind are written as they are. */
  #isDictionaryFull = false;
  /** Of the page that is being filled; undefined while every value is there. */
  #def: GrowingBytes | undefined;
  readonly #rep = new GrowingBytes(1 << 10);
  #entries = 0;
  #bytes = 0;
  #firstRow = 0;
  #rows = 0;
  /** Of the chunk. */
  #values = 0;
  #allEntries = 0;
  #uncompressed = 0;

  constructor(options: LeafWriterOptions) {
    const { element } = options.leaf;
    this.#options = options;
    this.#isText = isA(options.feature, "Value") && /^(large_)?string$/.test(options.feature.dtype);
    this.#trial = this.#isText ? [] : undefined;
    this.#plain = new PlainValues(element.type === "FIXED_LEN_BYTE_ARRAY");
  }

  /** More rows. Pages are cut by what they hold, wherever the rows that are given end. */
  add(shredded: ShreddedLeaf): void {
    const { leaf, feature } = this.#options;
    const { values, entries } = shredded;
    const stored = this.#isText ? undefined : storedValues(values, leaf.element, feature);
    for (let [entry, value] = [0, 0]; entry < entries; ) {
      // What is given begins with a row.
      if (this.#bytes >= PAGE_BYTES) this.#endPage();
      const end = this.#fill(shredded, stored, entry, value);
      this.#putLevels(shredded, entry, end.entry);
      if (stored) this.#plain.add(stored, value, end.value);
      else this.#putTexts(values as ArrayLike<string>, value, end.value);
      ({ entry, value } = end);
    }
    this.#values += values.length;
    this.#allEntries += entries;
  }

  /** How far the page goes: to the first row behind the one that makes it full. Counts its bytes. */
  #fill(
    { def, rep, entries, values }: ShreddedLeaf,
    stored: Stored | undefined,
    from: number,
    valueFrom: number,
  ): { entry: number; value: number } {
    const width = stored !== undefined && ArrayBuffer.isView(stored) ? stored.BYTES_PER_ELEMENT : undefined;
    if (width !== undefined && def === undefined) {
      const full = from + Math.ceil((PAGE_BYTES - this.#bytes) / width);
      const row = full >= entries ? -1 : rep === undefined ? full : rep.indexOf(0, full);
      const entry = row < 0 ? entries : row;
      this.#bytes += (entry - from) * width;
      return { entry, value: valueFrom + entry - from };
    }
    let value = valueFrom;
    let entry = from;
    for (; entry < entries; entry++) {
      if (this.#bytes >= PAGE_BYTES && (rep === undefined || rep[entry] === 0)) break;
      if (def !== undefined && def[entry] !== this.#options.leaf.ownDef) {
        this.#bytes += 1 / 8;
        continue;
      }
      this.#bytes += width ?? sizeOf(stored === undefined ? values[value] : stored[value]);
      value++;
    }
    return { entry, value };
  }

  #putLevels({ def, rep }: ShreddedLeaf, from: number, to: number): void {
    const { ownDef } = this.#options.leaf;
    if (def && !this.#def) {
      this.#def = new GrowingBytes(1 << 10);
      this.#def.fill(ownDef, this.#entries);
    }
    if (def) this.#def!.put(def.subarray(from, to));
    else this.#def?.fill(ownDef, to - from);
    if (rep) this.#rep.put(rep.subarray(from, to));
    this.#entries += to - from;
    this.#rows += rep ? zerosOf(rep, from, to) : to - from;
  }

  #putTexts(texts: ArrayLike<string>, from: number, to: number): void {
    let at = from;
    if (this.#trial) {
      for (; at < to && this.#trial.length < TRIAL_TEXTS; at++) this.#trial.push(texts[at]!);
      if (at === to) return;
      this.#endTrial();
    }
    this.#texts.addTexts(texts, at, to);
  }

  get #texts(): TextDictionary | PlainValues {
    return this.#isDictionaryFull ? this.#plain : (this.#dictionary ?? this.#plain);
  }

  /** Texts that repeat get a dictionary. */
  #endTrial(): void {
    const trial = this.#trial;
    if (!trial) return;
    this.#trial = undefined;
    const isWorth = trial.length >= MIN_TEXTS && new Set(trial).size <= trial.length / 2;
    if (isWorth) this.#dictionary = new TextDictionary();
    this.#texts.addTexts(trial, 0, trial.length);
  }

  #endPage(): void {
    this.#endTrial();
    const values = this.#isText ? this.#texts : this.#plain;
    const levels = { definition_level_encoding: "RLE", repetition_level_encoding: "RLE" } as const;
    const encoding: Encoding = values instanceof TextDictionary ? "RLE_DICTIONARY" : "PLAIN";
    const bytes = this.#packed(
      { type: "DATA_PAGE", data_page_header: { num_values: this.#entries, encoding, ...levels } },
      Buffer.concat([...this.#levels(), values.take()]),
    );
    this.#pages.push({ bytes, firstRow: this.#firstRow });
    if (values instanceof TextDictionary)
      this.#isDictionaryFull = values.bytes > MAX_DICTIONARY_BYTES || values.size > MAX_DICTIONARY_TEXTS;
    this.#def = undefined;
    this.#rep.clear();
    this.#entries = 0;
    this.#bytes = 0;
    this.#firstRow = this.#rows;
  }

  /** Before the values: repetition, then definition, each with its length. */
  #levels(): Buffer[] {
    const { leaf } = this.#options;
    const levels: Buffer[] = [];
    if (leaf.rep > 0) levels.push(writeHybrid(this.#rep.view, 0, this.#entries, bitWidth(leaf.rep)));
    if (leaf.ownDef > 0) {
      const width = bitWidth(leaf.ownDef);
      const def = this.#def?.view;
      levels.push(def ? writeHybrid(def, 0, this.#entries, width) : writeRun(leaf.ownDef, this.#entries, width));
    }
    return levels.flatMap((packed) => {
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32LE(packed.length);
      return [length, packed];
    });
  }

  #packed(
    header: Omit<Parameters<WriteEngine["writePageHeader"]>[1], "uncompressed_page_size" | "compressed_page_size">,
    body: Buffer,
  ): WrittenPage["bytes"] {
    const { engine, codec } = this.#options;
    const packed = body.length === 0 ? body : codec.compress(body);
    const writer = new engine.ByteWriter(64);
    engine.writePageHeader(writer, {
      ...header,
      uncompressed_page_size: body.length,
      compressed_page_size: packed.length,
    });
    this.#uncompressed += writer.offset + body.length;
    return [writer.getBytes(), packed];
  }

  /** Writes the chunk: the dictionary, then the pages. */
  finish(sink: FileSink): { chunk: ColumnChunk; locations: PageLocation[] } {
    const { leaf, codec } = this.#options;
    if (this.#entries > 0 || this.#pages.length === 0) this.#endPage();
    const from = sink.bytes;
    const dictionary = this.#dictionary;
    for (const bytes of dictionary ? this.#dictionaryPage(dictionary) : []) sink.write(bytes);
    const dataFrom = sink.bytes;
    const locations = this.#pages.map(({ bytes: [header, body], firstRow }): PageLocation => {
      const offset = BigInt(sink.bytes);
      sink.write(header);
      sink.write(body);
      return { offset, compressed_page_size: header.length + body.length, first_row_index: BigInt(firstRow) };
    });
    const chunk: ColumnChunk = {
      file_offset: BigInt(from),
      meta_data: {
        type: leaf.element.type!,
        encodings: dictionary ? ["PLAIN", "RLE", "RLE_DICTIONARY"] : ["PLAIN", "RLE"],
        path_in_schema: [...leaf.path],
        codec: codec.name,
        num_values: BigInt(this.#allEntries),
        total_uncompressed_size: BigInt(this.#uncompressed),
        total_compressed_size: BigInt(sink.bytes - from),
        data_page_offset: BigInt(dataFrom),
        ...(dictionary && { dictionary_page_offset: BigInt(from) }),
        statistics: { null_count: BigInt(this.#allEntries - this.#values) },
      },
    };
    return { chunk, locations };
  }

  #dictionaryPage({ texts }: TextDictionary): WrittenPage["bytes"] {
    const values = new PlainValues(false);
    values.addTexts(texts, 0, texts.length);
    return this.#packed(
      { type: "DICTIONARY_PAGE", dictionary_page_header: { num_values: texts.length, encoding: "PLAIN" } },
      values.take(),
    );
  }
}

/** Of a value in a page, about. */
function sizeOf(value: unknown): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length + 4;
  return typeof value === "boolean" ? 1 / 8 : 8;
}

function zerosOf(levels: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = levels.indexOf(0, from); at >= 0 && at < to; at = levels.indexOf(0, at + 1)) count++;
  return count;
}
