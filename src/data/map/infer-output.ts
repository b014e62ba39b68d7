import { KagurazakaError } from "../../base/errors.js";
import { own } from "../../base/own.js";
import { batchOf, type Row, rowsOf } from "../batch/batch.js";
import { checkOf } from "../features/check.js";
import { type Feature, type Features, Nullable } from "../features/feature.js";
import { FeatureInference } from "../features/infer.js";
import { FeatureConflict, NoFeature } from "../features/unify.js";
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
  for (const [i, row] of samples.entries()) {
    const bad = add(inference, row, i);
    thrown ??= bad;
  }
  // Rows that no format can hold are dealt with where they are written, unless there are no others.
  if (inference.features === undefined && thrown !== undefined) throw thrown;
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

/** @returns what is wrong with a row that has no features. @throws KagurazakaError for one that contradicts others */
function add(inference: FeatureInference, row: Row, index: number): KagurazakaError | undefined {
  const place = `result ${index + 1}`;
  try {
    inference.add(row, () => place);
    return undefined;
  } catch (error) {
    const isConflict = error instanceof FeatureConflict;
    const { message } = error as Error;
    const what = isConflict
      ? `the function returns different types: ${message}`
      : `the function returns what no column holds: ${error instanceof NoFeature ? message : `${place}: ${message}`}`;
    const hint = "Say what it returns: defineMap({ features: { … }, map }), or --features FILE.";
    const mistake = new KagurazakaError("features", what, { hint, cause: error });
    if (isConflict) throw mistake;
    return mistake;
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
