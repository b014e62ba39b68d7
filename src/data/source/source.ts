import { KagurazakaError } from "../../base/errors.js";
import { memoizePromise } from "../../base/memoize-promise.js";
import { didYouMean } from "../../base/nearest.js";
import type { Row } from "../batch/batch.js";
import type { Features } from "../features/feature.js";
import type { Packing, RowBlock } from "../formats/format.js";
import { formatOptions } from "../formats/options.js";
import { loadFormat } from "../formats/registry.js";
import { openShard, type Shard } from "../shard/shard.js";
import { nameOfUrl } from "../stores/request.js";
import type { DataFile } from "../stores/store.js";
import { findFeatures } from "./find-features.js";
import { resolveSource, type SourceRequest } from "./resolve-source.js";
import { groupBySplit, splitNamed } from "./splits.js";

/** A file of a source. */
export interface SourceShard {
  /** Below the root of the source, POSIX; unique in it, and the same on every machine. */
  readonly name: string;
  /** Path or URL on this machine. */
  readonly path: string;
  readonly size: number;
  /** Changes when the file does; undefined where the store cannot tell. */
  readonly version: string | undefined;
  readonly split: string;
  readonly format: string;
  readonly packing: Packing;
  /** Brings a file of the hub into its cache, and says where it lies; undefined where `path` can be opened as it is. */
  readonly fetch?: (() => Promise<string>) | undefined;
  /** Opens a file of the hub where it is, to read some bytes of it. */
  readonly peek?: (() => Promise<DataFile>) | undefined;
}

/** A named dataset: its shards in order, by split. */
export class Source {
  /** For keys of items and for messages. */
  readonly name: string;
  readonly shards: readonly SourceShard[];
  /** What a person should know: which format was found by content, which files were left out. */
  readonly notes: readonly string[];
  readonly #options: Readonly<Record<string, unknown>>;
  readonly #byName: ReadonlyMap<string, SourceShard>;
  readonly splits: ReadonlyMap<string, readonly SourceShard[]>;
  #features: Features | undefined;
  readonly #found: () => Promise<Features>;

  /** @throws KagurazakaError `source` for two shards of one name */
  constructor(
    name: string,
    shards: readonly SourceShard[],
    {
      options = {},
      notes = [],
      features,
    }: {
      options?: Readonly<Record<string, unknown>> | undefined;
      notes?: readonly string[];
      features?: Features | undefined;
    } = {},
  ) {
    this.name = name;
    this.shards = shards;
    this.notes = notes;
    this.#options = options;
    this.#features = features;
    this.#found = memoizePromise(() => findFeatures(this));
    this.#byName = byName(shards, name);
    this.splits = groupBySplit(shards);
  }

  /** Whether all files say what their columns are. */
  async saysTypes(): Promise<boolean> {
    const formats = await Promise.all([...new Set(this.shards.map(({ format }) => format))].map(loadFormat));
    return formats.every(({ hasSchema, valuesNeedFeatures }) => hasSchema && !valuesNeedFeatures);
  }

  /** The same with only the shards of one split. @throws KagurazakaError `source` */
  only(split: string): Source {
    return new Source(this.name, splitNamed(this.splits, split, this.name), {
      options: this.#options,
      notes: this.notes,
      features: this.#features,
    });
  }

  /** @throws KagurazakaError `source` where this machine has no such shard */
  shardNamed(name: string): SourceShard {
    const shard = this.#byName.get(name);
    if (shard) return shard;
    throw new KagurazakaError(
      "source",
      `${this.name} has no file ${name} on this machine.${didYouMean(name, this.#byName.keys())}`,
      { where: name },
    );
  }

  async open(shard: SourceShard, features = this.#features): Promise<Shard> {
    const format = await loadFormat(shard.format);
    const known = features ?? (format.valuesNeedFeatures ? await this.features() : undefined);
    return this.openWith(shard, known);
  }

  /** As it is: values of a format without types are guessed one by one. */
  async openWith(shard: SourceShard, features: Features | undefined): Promise<Shard> {
    return openShard({
      ...(await this.#common(shard)),
      path: (await shard.fetch?.()) ?? shard.path,
      features,
    });
  }

  /**
   * To find its schema, or where it can be cut. Of a file of the hub that has a footer, only that is fetched; where the server gives
   * no ranges, all of it.
   */
  async openForFooter(shard: SourceShard): Promise<Shard> {
    const common = await this.#common(shard);
    if (shard.peek && common.format.hasSchema) {
      try {
        return await openShard({ ...common, path: shard.path, file: await shard.peek() });
      } catch (error) {
        if (!KagurazakaError.is(error) || error.code !== "source") throw error;
      }
    }
    return await this.openWith(shard, undefined);
  }

  async #common(shard: SourceShard) {
    const format = await loadFormat(shard.format);
    const options = formatOptions(format.options, this.#options, shard.name);
    return { format, packing: shard.packing, options };
  }

  /**
   * What all shards have in common: of formats with a schema from all footers, of others from the first rows.
   * @throws KagurazakaError `features` where two shards contradict each other
   */
  async features(): Promise<Features> {
    this.#features ??= await this.#found();
    return this.#features;
  }

  /** All rows, shard by shard. */
  async *rows(columns?: readonly string[]): AsyncGenerator<Row> {
    for await (const { rows } of this.blocks(columns)) yield* rows;
  }

  async *blocks(columns?: readonly string[]): AsyncGenerator<RowBlock> {
    for (const shard of this.shards) {
      await using opened = await this.open(shard);
      yield* opened.rows({ columns });
    }
  }
}

function byName(shards: readonly SourceShard[], of: string): Map<string, SourceShard> {
  const found = new Map<string, SourceShard>();
  for (const shard of shards) {
    const other = found.get(shard.name);
    if (other)
      throw new KagurazakaError(
        "source",
        `${of} has two files of the name ${shard.name}: ${nameOfUrl(other.path)}, ${nameOfUrl(shard.path)}`,
        {
          where: shard.name,
          hint: "Rename one of them, or read them as two datasets.",
        },
      );
    found.set(shard.name, shard);
  }
  return found;
}

/**
 * Opens a dataset: a file, several, a folder, a glob, a URL, or the name of one on a hub.
 * @throws KagurazakaError `source` for what is not there, with the nearest name
 */
export async function openSource(spec: string | readonly string[], request: SourceRequest = {}): Promise<Source> {
  const specs = typeof spec === "string" ? [spec] : spec;
  if (specs.length === 0)
    throw new KagurazakaError("source", "no source is named: the list is empty", {
      hint: "Name a file, a folder, a glob, a URL, or a dataset of the hub.",
    });
  const { name, shards, notes } = await resolveSource(specs, request);
  return new Source(name, shards, { options: request.options, notes, features: request.features });
}
