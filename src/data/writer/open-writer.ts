import { randomUUID } from "node:crypto";
import { existsSync, linkSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { environmentError, errnoOf } from "../../base/disk.js";
import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import type { Row } from "../batch/batch.js";
import type { Features } from "../features/feature.js";
import type { FormatDefinition, Packing } from "../formats/format.js";
import { formatOptions } from "../formats/options.js";
import { formatExtensions, formatOfName, loadFormat, packingExtension } from "../formats/registry.js";
import { RowWriter } from "./row-writer.js";

export interface WriterOptions {
  /** @defaultValue by the extension of the path */
  readonly format?: string | undefined;
  /** What the columns are: rows are checked. @defaultValue for a format with a schema what the first 1000 rows show */
  readonly features?: Features | undefined;
  /** Of the columns, in formats with compression inside: `zstd`. A text file is packed by its name: `a.jsonl.gz`. */
  readonly compression?: string | undefined;
  /** Of the format: `{ delimiter: ";" }`. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  /** Rows of a row group, in formats that have them. */
  readonly groupRows?: number | undefined;
  /** Replace a file that is there, once the new one is whole. @defaultValue false: an error */
  readonly overwrite?: boolean | undefined;
}

/**
 * Writes rows into a file, which appears as a whole with `finish()`; until then, and where that is never called, nothing is seen.
 *
 * ```ts
 * await using writer = await openWriter("out/a.parquet", { features: features({ id: "int64", text: "string" }) });
 * for (…) await writer.write({ id, text });
 * await writer.finish();
 * ```
 *
 * @throws KagurazakaError `bad-value` for a format or an option that there is not, or a file that is there already
 */
export async function openWriter(path: string, options: WriterOptions = {}): Promise<RowWriter> {
  const { format, compression } = await formatFor(path, options);
  const { features, groupRows, overwrite = false } = options;
  checkTarget(path, overwrite);
  const request = { compression, options: formatOptions(format.options, options.options, path) as never, groupRows };
  const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomUUID().slice(0, 8)}.tmp`);
  return await RowWriter.open({
    path,
    features,
    needsFeatures: format.hasSchema,
    create: (features) => format.create({ path: temporary, features, ...request }),
    publish: () => publish(temporary, path, overwrite),
    remove: () => rmSync(temporary, { force: true }),
  });
}

/** All rows into a file, as `openWriter` does. */
export async function writeRows(
  path: string,
  rows: Iterable<Row> | AsyncIterable<Row>,
  options: WriterOptions = {},
): ReturnType<RowWriter["finish"]> {
  await using writer = await openWriter(path, options);
  let some: Row[] = [];
  for await (const row of rows) {
    some.push(row);
    if (some.length < 1000) continue;
    await writer.write(some);
    some = [];
  }
  await writer.write(some);
  return await writer.finish();
}

async function formatFor(
  path: string,
  { format: asked, compression }: WriterOptions,
): Promise<{ format: FormatDefinition; compression: string }> {
  const { format: named, packing } = formatOfName(basename(path));
  const name = asked ?? named;
  if (name === undefined)
    throw new KagurazakaError("bad-value", `the name ${basename(path)} does not say which format it has`, {
      where: path,
      hint: `Say format, or end the name with one of ${formatExtensions().join(", ")}.`,
    });
  const format = await loadFormat(name);
  if (format.packs) return { format, compression: packingFor(path, packing, compression) };
  const bad = (message: string, hint: string): KagurazakaError =>
    new KagurazakaError("bad-value", message, { where: path, hint });
  if (packing !== "none")
    throw bad(
      `${basename(path)}: ${name} is not packed as a whole`,
      `Leave ${packingExtension(packing)} out, and say compression: ${format.codecs.join(", ")}.`,
    );
  const codec = compression ?? format.codecs[0] ?? "none";
  if (codec === "none" || format.codecs.includes(codec)) return { format, compression: codec };
  throw bad(
    `${name} has no compression "${codec}".${didYouMean(codec, format.codecs)}`,
    `It has: ${format.codecs.join(", ")}.`,
  );
}

/** Readers go by the name, so the name decides. */
function packingFor(path: string, packing: Packing, asked: string | undefined): string {
  if (asked === undefined || asked === packing) return packing;
  const extension = packingExtension(asked as Packing);
  throw new KagurazakaError("bad-value", `compression "${asked}" does not fit the name ${basename(path)}`, {
    where: path,
    hint: extension === "" ? "Text is packed by its name: .gz, .zst, or neither." : `End the name with ${extension}.`,
  });
}

function checkTarget(path: string, overwrite: boolean): void {
  const folder = dirname(path);
  const where = { where: path };
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new KagurazakaError("environment", `cannot write ${path}: there is no folder ${folder}`, where);
  if (!existsSync(path)) return;
  if (!overwrite) throw isThere(path);
  if (statSync(path).isDirectory())
    throw new KagurazakaError("bad-value", `cannot write ${path}: it is a directory`, where);
}

const isThere = (path: string): KagurazakaError =>
  new KagurazakaError("bad-value", `${path} is there already`, {
    where: path,
    hint: "Say overwrite: true to replace it, or choose another name.",
  });

/** Gives the file its name. Without `overwrite` one that someone else has written in the meantime stays. */
function publish(temporary: string, path: string, overwrite: boolean): void {
  try {
    if (overwrite) return renameSync(temporary, path);
    linkSync(temporary, path);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") throw isThere(path);
    // A file system without hard links.
    if (["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errnoOf(error) ?? "") && !existsSync(path))
      return renameSync(temporary, path);
    throw environmentError("write", path, error);
  }
}
