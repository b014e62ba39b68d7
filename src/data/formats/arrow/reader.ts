import type { RecordBatch } from "apache-arrow";
import { KagurazakaError } from "../../../base/errors.js";
import type { Column } from "../../batch/batch.js";
import type { Features } from "../../features/feature.js";
import type { DataFile } from "../../stores/store.js";
import type { PlacedBatch, Range, ReadRequest, ShardReader, SliceSize } from "../format.js";
import { groupBatches, groupRanges } from "../row-ranges.js";
import { columnOf } from "./columns.js";
import type { ArrowEngine } from "./engine.js";
import { type BatchPlace, bytesOf, type MessageMap } from "./messages.js";

interface ReaderOptions {
  readonly file: DataFile;
  readonly arrow: ArrowEngine;
  readonly map: MessageMap;
  readonly features: Features;
  /** The schema's message, and those of the dictionaries: what every batch needs in front of it. */
  readonly head: Buffer;
}

const END_OF_STREAM = Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** Arrow's IPC, a file or a stream; reads one record batch at a time. */
export class ArrowReader implements ShardReader {
  readonly unit = "row";
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.file.name;
  }

  get end(): number {
    return this.rowCount;
  }

  get rowCount(): number {
    return this.#options.map.batches.reduce((sum, { rows }) => sum + rows, 0);
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

  batches(request: ReadRequest): AsyncGenerator<PlacedBatch> {
    return groupBatches(this.#options.map.batches, request, (place) => this.#columnsOf(place, request.columns));
  }

  async #columnsOf(place: BatchPlace, wanted: readonly string[] | undefined): Promise<Record<string, Column>> {
    const { arrow, features } = this.#options;
    const columns: Record<string, Column> = {};
    const batch = await this.#load(place);
    for (const name of wanted ?? Object.keys(features)) {
      const index = batch.schema.fields.findIndex((field) => field.name === name);
      if (index < 0) {
        columns[name] = new Array(place.rows).fill(null);
        continue;
      }
      try {
        columns[name] = columnOf(arrow, batch.data.children[index]!, features[name]!);
      } catch (error) {
        throw this.#bad(`column ${name} cannot be read: ${(error as Error).message}`, error);
      }
    }
    return columns;
  }

  /** A stream of one batch is what the library can read by itself. */
  async #load(place: BatchPlace): Promise<RecordBatch> {
    const { arrow, file, head } = this.#options;
    const bytes = Buffer.concat([head, await bytesOf(file, place), END_OF_STREAM]);
    try {
      for (const batch of arrow.RecordBatchReader.from(bytes)) return batch;
    } catch (error) {
      throw this.#bad(`the record batch at row ${place.first} cannot be read: ${(error as Error).message}`, error);
    }
    throw this.#bad(`the record batch at row ${place.first} is not there`);
  }

  #bad(what: string, cause?: unknown): KagurazakaError {
    return new KagurazakaError("bad-data", `${this.name}: ${what}`, { where: this.name, cause });
  }

  async where(_from: number, position: number): Promise<string> {
    return `${this.name} row ${position}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.file[Symbol.asyncDispose]();
  }
}
