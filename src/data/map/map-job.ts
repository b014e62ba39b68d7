import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import { memoizePromise } from "../../base/memoize-promise.js";
import type { Features } from "../features/feature.js";
import { fromHuggingFace } from "../features/hugging-face.js";
import { formatOptions } from "../formats/options.js";
import { formatNames, loadFormat } from "../formats/registry.js";
import { type PartFormat, type PartItem, type PartsJob, planParts } from "../parts/parts-job.js";
import { awaitPlan, type PartsPlan } from "../parts/plan-file.js";
import { PartWriter } from "../parts/write-part.js";
import { openSource, type Source } from "../source/source.js";
import { checkColumns } from "./check-columns.js";
import { type MapDefinition, mapOf } from "./define-map.js";
import { inferOutput } from "./infer-output.js";
import { type MapCounts, mapSlice, type OnError } from "./map-slice.js";

/** The options of `@map`. */
export interface MapOptions {
  readonly in: readonly string[];
  readonly split?: string | undefined;
  readonly config?: string | undefined;
  readonly inputFormat?: string | undefined;
  readonly inputOptions?: Readonly<Record<string, string>> | undefined;
  readonly format?: string | undefined;
  readonly compression?: string | undefined;
  readonly outputOptions?: Readonly<Record<string, string>> | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly sliceBytes: number;
  readonly sliceRows?: number | undefined;
  readonly groupRows?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly onError: OnError;
  readonly textErrors: "fail" | "replace";
  /** Path of a JSON file. */
  readonly features?: string | undefined;
}

/** What a module exports, and its name for messages. */
interface Exported {
  readonly name: string;
  readonly value: unknown;
}

function definitionOf({ name, value }: Exported, batchSize: number | undefined): MapDefinition {
  const definition = mapOf(value);
  if (!definition)
    throw new KagurazakaError(
      "not-a-task",
      `${name} is not a function over rows, but ${value === null ? "null" : typeof value}`,
      { hint: "Export a function (row, ctx) => row, or defineMap({ batchSize, map }) of kagurazaka/data." },
    );
  if (batchSize === undefined) return definition;
  if (definition.batchSize !== undefined) return { ...definition, batchSize };
  throw new KagurazakaError("bad-value", `--batch-size: ${name} is over rows, not over batches`, {
    where: "--batch-size",
    hint: "Export defineMap({ batchSize, map: (batch, ctx) => … }).",
  });
}

/**
 * A format of one's own is a module. What a queue says must not choose the modules that a node loads.
 * @throws KagurazakaError `bad-value`
 */
export function checkNodeOptions({ format, inputFormat }: MapOptions): void {
  for (const [flag, name] of Object.entries({ "--format": format, "--input-format": inputFormat }))
    if (name !== undefined && !formatNames().includes(name))
      throw new KagurazakaError("bad-value", `${flag}: a node of a fleet loads no format from "${name}"`, {
        where: flag,
        hint: `Only built-in formats can be used there: ${formatNames().join(", ")}.`,
      });
}

async function openInput(options: MapOptions, outputRoot: string): Promise<Source> {
  const { in: specs, split, config, inputFormat: format } = options;
  const source = await openSource(specs, { split, config, format, options: options.inputOptions, except: outputRoot });
  for (const name of new Set(source.shards.map((shard) => shard.format)))
    formatOptions((await loadFormat(name)).options, options.inputOptions, "--input-options");
  return source;
}

/** The coordinator's side: slices, parts, and what rows of them are. @throws KagurazakaError for mistakes */
export async function planMap(options: MapOptions, exported: Exported, folder: string): Promise<PartsJob> {
  const map = definitionOf(exported, options.batchSize);
  const source = await openInput(options, folder);
  const columns = columnsOf(options, map);
  if (columns) checkColumns(columns, await source.features(), source.name);
  const output = await outputFormat(options, source);
  const declared = options.features === undefined ? map.features : readFeatures(options.features);
  return planParts({
    source,
    folder,
    ...output,
    size: options.sliceRows === undefined ? { bytes: options.sliceBytes } : { rows: options.sliceRows },
    needsInput:
      map.batchSize !== undefined ||
      (await valuesNeedFeatures(source)) ||
      (!output.format.hasSchema && (await source.saysTypes())),
    outputFeatures: async () =>
      declared ?? (output.format.hasSchema ? await inferOutput(source, map, columns) : undefined),
  });
}

async function valuesNeedFeatures(source: Source): Promise<boolean> {
  const names = [...new Set(source.shards.map(({ format }) => format))];
  return (await Promise.all(names.map(loadFormat))).some((format) => format.valuesNeedFeatures === true);
}

const columnsOf = (options: MapOptions, map: MapDefinition): readonly string[] | undefined =>
  options.columns?.flatMap((text) => text.split(",")) ?? map.columns;

/** By default as the input is: its format, packed as it is. */
async function outputFormat(options: MapOptions, source: Source): Promise<PartFormat> {
  const [first] = source.shards;
  const format = await loadFormat(options.format ?? first?.format ?? "jsonl");
  formatOptions(format.options, options.outputOptions, "--output-options");
  const known = format.packs ? ["none", "gzip", "zstd"] : format.codecs;
  const asBefore = options.format === undefined && format.packs ? first?.packing : undefined;
  const compression = options.compression ?? asBefore ?? known[0]!;
  if (known.includes(compression)) return { format, compression };
  throw new KagurazakaError("bad-value", `${format.name} cannot be compressed by ${compression}`, {
    where: "--compression",
    hint: `It can by: ${known.join(", ")}.`,
  });
}

function readFeatures(path: string): Features {
  try {
    return fromHuggingFace(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new KagurazakaError("features", `${path}: ${(cause as Error).message}`, {
      where: path,
      hint: 'It is JSON like { "id": "int64", "text": "string", "tags": ["string"] }, or the features of a Hugging Face dataset.',
      cause,
    });
  }
}

/** A worker's side: what it keeps from item to item. */
export class MapWorker {
  readonly #options: MapOptions;
  readonly #map: MapDefinition;
  #source: (() => Promise<Source>) | undefined;
  #plan: (() => Promise<PartsPlan>) | undefined;

  constructor(options: MapOptions, exported: Exported) {
    this.#options = options;
    this.#map = definitionOf(exported, options.batchSize);
  }

  /** Maps a slice to its part. */
  async run(item: PartItem, ctx: MapItemContext): Promise<MapCounts & { bytesOut: number }> {
    const { onError, textErrors, groupRows } = this.#options;
    const folder = dirname(ctx.finalPath);
    this.#plan ??= memoizePromise(() => awaitPlan(folder));
    this.#source ??= memoizePromise(() => openInput(this.#options, folder));
    const [plan, source] = await Promise.all([this.#plan(), this.#source()]);
    const shard = source.shardNamed(item.shard);
    const unchanged = watchFile(shard.path, item.size);
    const format = await loadFormat(plan.format);
    const options = formatOptions(format.options, this.#options.outputOptions, "--output-options");
    await using part = await PartWriter.open({
      path: ctx.path,
      item,
      format,
      compression: plan.compression,
      // Without features of its own a text file has the times of its input in the form that their types say.
      features: plan.output ?? ((await source.saysTypes()) ? plan.input : undefined),
      options,
      groupRows,
    });
    await using opened = await source.open(shard, plan.input);
    const counts = await mapSlice({
      map: this.#map,
      shard: opened,
      read: { from: item.from, to: item.to, columns: columnsOf(this.#options, this.#map), textErrors },
      inputFeatures: plan.input,
      outputFeatures: plan.output,
      onError,
      seed: String(ctx.seed),
      names: { source: item.source, shard: item.shard, split: item.split },
      signal: ctx.signal,
      write: (rows) => part.rows.writeRows(rows),
      writeBatch: part.rows.writeBatch && ((batch) => part.rows.writeBatch!(batch)),
      reject: (row) => part.reject(row),
      alive: () => ctx.alive(),
    });
    unchanged();
    const bytesOut = await part.finish({ rowsIn: counts.rowsIn, dropped: counts.dropped, rejected: counts.rejected });
    return { ...counts, bytesOut };
  }
}

interface MapItemContext {
  /** Where the part is written, and where it will be. */
  readonly path: string;
  readonly finalPath: string;
  readonly seed: number | string;
  readonly signal: AbortSignal;
  readonly alive: () => void;
}

/** @returns a check that the file is the one it was, to be called when it was read */
function watchFile(path: string, size: number): () => void {
  const look = () => statSync(path, { throwIfNoEntry: false });
  const before = look();
  if (before === undefined && !path.includes("://")) throw changed(path, "it is gone");
  if (before && before.size !== size)
    throw changed(path, `it had ${size} bytes when the run was planned, now it has ${before.size}`);
  return () => {
    if (before && look()?.mtimeMs !== before.mtimeMs) throw changed(path, "it was written to while it was read");
  };
}

const changed = (path: string, how: string): KagurazakaError =>
  new KagurazakaError("bad-data", `${path} has changed: ${how}`, {
    where: path,
    hint: "Let its writer finish, then run again with another --out.",
  });
