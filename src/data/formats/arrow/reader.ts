import { KagurazakaError } from "../../../base/errors.js";
import type { Column } from "../../batch/batch.js";
import type { Features } from "../../features/feature.js";
import type { DataFile } from "../../stores/store.js";
import type { PlacedBatch, Range, ReadRequest, ShardReader, SliceSize } from "../format.js";
import { groupRanges } from "../row-ranges.js";
import { type ArrayData, ArrayReader } from "./arrays.js";
import { bodyOf, readBody, readMessage } from "./body.js";
import { columnOf } from "./columns.js";
import type { Unpack } from "./compressed.js";
import { DictionaryStore } from "./dictionaries.js";
import { reasonOf } from "./flatbuffer.js";
import { batchHeaderOf, dictionaryHeaderOf } from "./headers.js";
import { dictionariesOf, dictionaryIds, type Layout } from "./layout.js";
import type { BatchPlace, DictionaryPlace, MessageMap } from "./messages.js";

interface ReaderOptions {
  readonly file: DataFile;
  readonly map: MessageMap;
  readonly features: Features;
  /** Of the columns, in the order of the schema. */
  readonly layouts: ReadonlyMap<string, Layout>;
  readonly unpackZstd: Unpack;
}

/** Rows that are decoded at once, where nothing else is asked for: a file may have a single record batch of millions. */
const BATCH_ROWS = 10_000;

/**
 * Arrow's IPC, a file or a stream. Of a record batch the bytes of the columns asked for are held, until its last rows are given;
 * values are made for the rows of one batch at a time. Beginning in the middle of a record batch costs reading it, and no decoding
 * of the rows before (those of dictionaries are decoded once).
 */
export class ArrowReader implements ShardReader {
  readonly unit = "row";
  readonly rowCount: number;
  readonly #options: ReaderOptions;
  readonly #dictionaries: DictionaryStore;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.rowCount = options.map.batches.reduce((sum, { rows }) => sum + rows, 0);
    const layouts = dictionariesOf([...options.layouts.values()]);
    this.#dictionaries = new DictionaryStore((place) => this.#loadDictionary(place, layouts.get(place.id)));
  }

  get name(): string {
    return this.#options.file.name;
  }

  get end(): number {
    return this.rowCount;
  }

  get features(): Features {
    return this.#options.features;
  }

  get undivided(): string | undefined {
    return this.#options.map.batches.length === 1
      ? "an arrow file of one record batch cannot be opened in its middle"
      : undefined;
  }

  async slices(size: SliceSize): Promise<readonly Range[]> {
    const { map, file } = this.#options;
    const groups = map.batches.map(({ first, rows, bodyBytes }) => ({ first, rows, bytes: bodyBytes }));
    return groupRanges(groups, size, { fileBytes: file.size, cutsGroups: false });
  }

  async *batches(request: ReadRequest): AsyncGenerator<PlacedBatch> {
    const { from = 0, to = Number.POSITIVE_INFINITY } = request;
    for (const place of this.#options.map.batches)
      if (place.first < to && place.first + place.rows > from) yield* this.#batchesOf(place, request);
  }

  /** Of one record batch; its bytes are let go with the last one. */
  async *#batchesOf(place: BatchPlace, request: ReadRequest): AsyncGenerator<PlacedBatch> {
    const { from = 0, to = Number.POSITIVE_INFINITY, columns: wanted, batchRows = BATCH_ROWS } = request;
    const { features } = this.#options;
    const names = wanted ?? Object.keys(features);
    const arrays = await this.#load(place, new Set(names));
    const end = Math.min(place.rows, to - place.first);
    for (let at = Math.max(0, from - place.first); at < end; at += batchRows) {
      const stop = Math.min(end, at + batchRows);
      const columns: Record<string, Column> = {};
      for (const name of names) columns[name] = this.#column(name, arrays.get(name), at, stop);
      yield { length: stop - at, columns, first: place.first + at };
    }
  }

  #column(name: string, data: ArrayData | undefined, from: number, to: number): Column {
    if (!data) return new Array(to - from).fill(null);
    return this.#named(name, () => columnOf(data, this.#options.features[name]!, from, to));
  }

  /** The arrays of some columns. */
  async #load(place: BatchPlace, wanted: ReadonlySet<string>): Promise<Map<string, ArrayData>> {
    const what = `the record batch at row ${place.first}`;
    const { file, layouts, unpackZstd } = this.#options;
    const isWhole = [...layouts.keys()].every((name) => wanted.has(name));
    const read = await this.#at(what, () => readMessage(file, place, isWhole));
    const header = await this.#at(what, async () => batchHeaderOf(read.message));
    const walk = new ArrayReader(header);
    const chosen = [...layouts].flatMap(([name, layout]) => {
      const { cursor } = walk;
      const buffers = this.#named(name, () => walk.skip(layout));
      return wanted.has(name) ? [{ name, layout, cursor, buffers }] : [];
    });
    const ids = new Set(chosen.flatMap(({ layout }) => dictionaryIds(layout)));
    const dictionaries = await this.#dictionaries.get([...ids], place.dictionaries);
    const buffers = chosen.flatMap((one) => one.buffers);
    const pieces = await this.#at(what, () => readBody(file, place, read, buffers));
    const body = bodyOf(pieces, header.codec, unpackZstd);
    const arrays = new Map<string, ArrayData>();
    for (const { name, layout, cursor } of chosen)
      this.#named(name, () => {
        const data = new ArrayReader(header, cursor).load(layout, body, dictionaries);
        if (data.length !== place.rows)
          throw new Error(`it has ${data.length} rows in a record batch of ${place.rows}`);
        arrays.set(name, data);
      });
    return arrays;
  }

  async #loadDictionary(place: DictionaryPlace, layout: Layout | undefined): Promise<ArrayData> {
    const what = `dictionary ${place.id}`;
    const { file, unpackZstd } = this.#options;
    return await this.#at(what, async () => {
      if (!layout) throw new Error("no column has it");
      const { message, pieces } = await readMessage(file, place, true);
      const { batch } = dictionaryHeaderOf(message);
      const dictionaries = await this.#dictionaries.get(dictionaryIds(layout), place.dictionaries);
      return new ArrayReader(batch).load(layout, bodyOf(pieces, batch.codec, unpackZstd), dictionaries, true);
    });
  }

  async #at<T>(what: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw this.#bad(`${what} cannot be read`, error);
    }
  }

  #named<T>(column: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#bad(`column ${column} cannot be read`, error);
    }
  }

  #bad(what: string, cause: unknown): KagurazakaError {
    if (KagurazakaError.is(cause)) return cause;
    return new KagurazakaError("bad-data", `${this.name}: ${what}: ${reasonOf(cause)}`, { where: this.name, cause });
  }

  async where(_from: number, position: number): Promise<string> {
    return `${this.name} row ${position}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.file[Symbol.asyncDispose]();
  }
}
