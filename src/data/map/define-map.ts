import type { Batch, Column, Row } from "../batch/batch.js";
import { type Features, type FeaturesLike, features } from "../features/feature.js";

const mapBrand = Symbol.for("kagurazaka.map");

/** Where a row or batch comes from, and what its function may use. */
export interface MapContext {
  readonly source: string;
  /** Name of the file in its source. */
  readonly shard: string;
  readonly split: string;
  /**
   * Of the row, or the first one of the batch: its number in a file that has row numbers (parquet, arrow), from 0; its line in the
   * slice in a text file, from 1.
   */
  readonly row: number;
  /** Random numbers in [0, 1), determined by the run's seed, the slice and the row. */
  random(): number;
  /** Aborts on timeout and on cancellation. */
  readonly signal: AbortSignal;
}

/** What a function may make of a row: another one, several, or none. */
export type RowResult = Row | readonly Row[] | null | undefined;

export type RowFunction = (
  row: Row,
  ctx: MapContext,
) => RowResult | Promise<RowResult> | Iterable<Row> | AsyncIterable<Row>;

/** What a function makes of a batch: columns of any length, all the same. */
export type BatchResult = Batch | Readonly<Record<string, Column>> | null | undefined;

interface MapCommon {
  /** What the function returns; with it the rows are checked, and formats with a schema need no rows to be looked at first. */
  readonly features?: FeaturesLike;
  /** Columns that the function reads; others are not read from the file. @defaultValue all */
  readonly columns?: readonly string[];
}

interface RowMap extends MapCommon {
  readonly batchSize?: undefined;
  readonly map: RowFunction;
  /** Rows whose promises are awaited at the same time. Results keep their order. @defaultValue 16 */
  readonly concurrency?: number;
}

interface BatchMap extends MapCommon {
  /** Rows of a batch; the last one of a slice has fewer. */
  readonly batchSize: number;
  readonly map: (batch: Batch, ctx: MapContext) => BatchResult | Promise<BatchResult>;
}

export type MapDefinition = (RowMap | BatchMap) & { readonly contract: 1; readonly features?: Features };

/**
 * A function for `@map` with more than its code: batches in place of rows, and what it returns.
 * @throws TypeError for what is no such definition
 */
export function defineMap(map: RowMap | BatchMap): MapDefinition {
  checkDefinition(map);
  const definition = { ...map, contract: 1 as const, ...(map.features && { features: features(map.features) }) };
  return Object.defineProperty(definition, mapBrand, { value: true }) as MapDefinition;
}

function checkDefinition({ map, batchSize, ...others }: RowMap | BatchMap): void {
  if (typeof map !== "function") throw new TypeError(`defineMap: map is ${typeof map}, not a function`);
  const { concurrency } = others as Partial<RowMap>;
  for (const [name, value] of Object.entries({ batchSize, concurrency })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new TypeError(`defineMap: ${name} is ${value}, not a whole number from 1 on`);
  }
  if (batchSize !== undefined && concurrency !== undefined)
    throw new TypeError("defineMap: concurrency is for functions over rows; this one is over batches");
}

/** The definition of what a module exports: a plain function is one over rows. Undefined for anything else. */
export function mapOf(exported: unknown): MapDefinition | undefined {
  if (typeof exported === "function") return { contract: 1, map: exported as RowFunction };
  if (typeof exported !== "object" || exported === null) return undefined;
  return (exported as Record<symbol, unknown>)[mapBrand] === true ? (exported as MapDefinition) : undefined;
}
