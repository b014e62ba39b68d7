import { KagurazakaError } from "../../base/errors.js";
import { own } from "../../base/own.js";
import { batchOf, type Row, rowsOf } from "../batch/batch.js";
import { checkOf } from "../features/check.js";
import { type Feature, type Features, Nullable } from "../features/feature.js";
import { FeatureInference } from "../features/infer.js";
import { NoFeature } from "../features/unify.js";
import type { RowBlock } from "../formats/format.js";
import type { Source } from "../source/source.js";
import type { MapContext, MapDefinition } from "./define-map.js";
import { mapBatch } from "./map-batches.js";
import { type Mapped, mapRows } from "./map-rows.js";

/** Rows that are mapped to find out what a function returns. */
const SAMPLE_ROWS = 1000;

/**
 * The features of what a function makes of the first rows of a source; for formats with a schema, where the function does not say
 * it. A column that passes through keeps the feature it has in the source.
 * @throws KagurazakaError `features` where its results contradict each other, or there are none
 */
export async function inferOutput(
  source: Source,
  map: MapDefinition,
  columns: readonly string[] | undefined,
): Promise<Features> {
  const input = await source.features();
  const inference = new FeatureInference();
  const samples: Row[] = [];
  let taken = 0;
  let thrown: unknown;
  for await (const block of source.blocks(columns)) {
    const first = { ...block, rows: block.rows.slice(0, SAMPLE_ROWS - taken) };
    for (const one of await mapSample(first, map, input)) {
      if ("thrown" in one) thrown ??= one.thrown;
      else for (const row of "batch" in one ? rowsOf(one.batch) : one.rows) samples.push(row);
    }
    taken += first.rows.length;
    if (taken >= SAMPLE_ROWS) break;
  }
  if (samples.length === 0 && thrown !== undefined) throw thrown;
  for (const [i, row] of samples.entries()) add(inference, row, i);
  return keepInput(inference.features ?? {}, input, samples);
}

async function mapSample(block: RowBlock, map: MapDefinition, input: Features): Promise<readonly Mapped[]> {
  const { signal } = new AbortController();
  const contextAt = (row: number): MapContext => ({
    source: "",
    shard: "",
    split: "",
    row,
    random: () => 0.5,
    signal,
  });
  if (map.batchSize !== undefined)
    return mapBatch({ ...batchOf(block.rows, input), first: block.first }, map.map, contextAt, false);
  const options = { map: map.map, contextAt, concurrency: map.concurrency ?? 16, signal, alive: () => {} };
  const mapped: Mapped[] = [];
  for await (const some of mapRows(only(block), options)) mapped.push(...some);
  return mapped;
}

async function* only(block: RowBlock): AsyncGenerator<RowBlock> {
  yield block;
}

function add(inference: FeatureInference, row: Row, index: number): void {
  try {
    inference.add(row, () => `result ${index + 1}`);
  } catch (error) {
    if (!(error instanceof NoFeature)) throw error;
    throw new KagurazakaError("features", `the function returns different types: ${error.message}`, {
      hint: "Say what it returns: defineMap({ features: { … }, map }), or --features FILE.",
      cause: error,
    });
  }
}

function keepInput(found: Features, input: Features, samples: readonly Row[]): Features {
  const kept = Object.entries(found).map(([name, feature]): [string, Feature] => {
    const known = own(input, name);
    const before = known && Nullable(known);
    return [name, before && samples.every((row) => holds(before, own(row, name))) ? before : feature];
  });
  return Object.fromEntries(kept);
}

function holds(feature: Feature, value: unknown): boolean {
  try {
    checkOf(feature)(value, "");
    return true;
  } catch {
    return false;
  }
}
