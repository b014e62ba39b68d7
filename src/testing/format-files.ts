import { join } from "node:path";
import type { Row } from "../data/batch/batch.js";
import { createRowCheck } from "../data/features/check.js";
import type { Features } from "../data/features/feature.js";
import type {
  FormatDefinition,
  Packing,
  ReadRequest,
  RowBlock,
  ShardWriter,
  WrittenFile,
} from "../data/formats/format.js";
import { formatOptions } from "../data/formats/options.js";
import { packingExtension } from "../data/formats/registry.js";
import { openShard, type Shard } from "../data/shard/shard.js";

/** Rows of a format in a directory. */
export class FormatFiles {
  readonly #format: FormatDefinition;
  readonly #options: Record<string, unknown>;
  readonly #dir: string;
  #count = 0;

  constructor(format: FormatDefinition, options: Readonly<Record<string, unknown>>, dir: string) {
    this.#format = format;
    this.#options = formatOptions(format.options, options);
    this.#dir = dir;
  }

  /** The first is what is written where nothing is asked for. */
  get compressions(): readonly string[] {
    const { packs, codecs } = this.#format;
    if (packs) return ["none", "gzip", "zstd"];
    return codecs.length > 0 ? codecs : ["none"];
  }

  path(compression: string): string {
    const { packs, extensions } = this.#format;
    return join(this.#dir, `${this.#count++}${extensions[0]}${packs ? packingExtension(compression as Packing) : ""}`);
  }

  create(path: string, features: Features, compression = this.compressions[0]!): Promise<ShardWriter> {
    return this.#format.create({ path, features, compression, options: this.#options as never });
  }

  async write(
    rows: readonly Row[],
    features: Features,
    compression = this.compressions[0]!,
  ): Promise<{ path: string; written: WrittenFile }> {
    const path = this.path(compression);
    await using writer = await this.create(path, features, compression);
    // In calls of several sizes: groups and blocks do not go by calls.
    for (let at = 0, size = 1; at < rows.length; at += size, size = (size * 3) % 1000)
      await writer.writeRows(rows.slice(at, at + size));
    return { path, written: await writer.finish() };
  }

  open(path: string, features: Features | undefined): Promise<Shard> {
    const packed = (["gzip", "zstd"] as const).find((packing) => path.endsWith(packingExtension(packing)));
    const packing = this.#format.packs ? (packed ?? "none") : "none";
    return openShard({ path, format: this.#format, packing, options: this.#options, features });
  }

  /** All rows of a range, as a dataset would have them: those of a format without a schema are made of the features. */
  async rows(shard: Shard, features: Features, request: ReadRequest = {}): Promise<Row[]> {
    const rows = (await blocksOf(shard.rows(request))).flatMap(({ rows }) => rows);
    return this.#format.hasSchema ? rows : rows.map(createRowCheck(features));
  }

  async read(path: string, features: Features): Promise<Row[]> {
    await using shard = await this.open(path, features);
    return await this.rows(shard, features);
  }
}

/** A block is valid until the next one is asked for: what is kept is a copy. */
export async function blocksOf(blocks: AsyncGenerator<RowBlock>): Promise<RowBlock[]> {
  const all: RowBlock[] = [];
  for await (const block of blocks) all.push({ ...block, rows: block.rows.map((row) => ({ ...row })) });
  return all;
}
