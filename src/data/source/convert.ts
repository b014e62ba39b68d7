import { randomBytes } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import { BadValue, createRowCheck } from "../features/check.js";
import { type FormatDefinition, UnwritableRow, type WrittenFile } from "../formats/format.js";
import type { Source } from "./source.js";

interface ConvertRequest {
  readonly path: string;
  readonly format: FormatDefinition;
  readonly compression: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly columns: readonly string[] | undefined;
  readonly groupRows?: number | undefined;
}

/**
 * Writes all rows of a source to one file, which appears when it is whole.
 * @throws KagurazakaError `output-root` where the file exists, `bad-row` for a row that the format cannot hold
 */
export async function convertSource(source: Source, request: ConvertRequest): Promise<WrittenFile> {
  const { path, format, compression, options, columns, groupRows } = request;
  if (existsSync(path))
    throw new KagurazakaError("output-root", `${path} exists already`, {
      where: path,
      hint: "Choose another name, or remove it.",
    });
  // A text file of times needs their units, which the files of other formats say.
  const isTyped = format.hasSchema || (await source.saysTypes());
  const all = isTyped || columns ? await source.features() : undefined;
  const features = all && columns ? Object.fromEntries(columns.map((name) => [name, all[name]!])) : all;
  const check = format.hasSchema ? createRowCheck(features!) : undefined;
  const staging = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.tmp`);
  const writer = await format.create({
    path: staging,
    features: isTyped ? features : undefined,
    compression,
    options: options as never,
    groupRows,
  });
  try {
    for (const shard of source.shards) {
      await using opened = await source.open(shard);
      for await (const block of opened.rows({ columns })) {
        try {
          await writer.writeRows(check ? block.rows.map(check) : block.rows);
        } catch (error) {
          if (!(error instanceof BadValue || error instanceof UnwritableRow)) throw error;
          const hint = "Say other types with --features FILE of @map, or choose another format.";
          throw new KagurazakaError("bad-row", `a row of ${shard.name} cannot be written: ${error.message}`, {
            where: shard.path,
            hint,
            cause: error,
          });
        }
      }
    }
    const written = await writer.finish();
    renameSync(staging, path);
    return written;
  } finally {
    await writer[Symbol.asyncDispose]();
    rmSync(staging, { force: true });
  }
}
