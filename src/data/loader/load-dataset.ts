import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import type { Features } from "../features/feature.js";
import { checkColumns } from "../map/check-columns.js";
import type { SourceRequest } from "../source/resolve-source.js";
import { openSource, type Source } from "../source/source.js";
import { type ColumnOf, Dataset, type PickColumns } from "./dataset.js";
import { FileRows } from "./file-rows.js";
import { SourceReader } from "./source-reader.js";
import { StreamingDataset } from "./streaming-dataset.js";

export interface LoadOptions<F extends Features = Features, K extends string = ColumnOf<F>> extends SourceRequest {
  /** Read from front to back, without counting or keeping anything. @defaultValue false */
  readonly streaming?: boolean | undefined;
  /** Only these columns, in this order. */
  readonly columns?: readonly K[] | undefined;
  /** What the columns are. Rows are checked and converted, and have these columns only. */
  readonly features?: F | undefined;
}

/** Split → dataset. A `Map`, because a split may have any name. */
export class DatasetDict<D> extends Map<string, D> {
  /** @throws KagurazakaError `source` for a split that there is not */
  split(name: string): D {
    if (this.has(name)) return this.get(name)!;
    const names = [...this.keys()];
    throw new KagurazakaError("source", `there is no split "${name}".${didYouMean(name, names)}`, {
      hint: `There are: ${names.join(", ")}.`,
    });
  }
}

/**
 * Opens a dataset: a file, several, a folder, a glob, a URL, or the name of one on a hub. Of several splits, where none is named, it
 * is a `DatasetDict`.
 *
 * ```ts
 * const train = await loadDataset("data", { split: "train" });
 * for await (const row of train.shuffle(42)) …
 * ```
 *
 * @throws KagurazakaError `source`, with the nearest name; `features` for columns that there are not
 */
export function loadDataset<F extends Features = Features, const K extends ColumnOf<F> = ColumnOf<F>>(
  spec: string | readonly string[],
  options: LoadOptions<F, K> & { readonly streaming: true; readonly split: string },
): Promise<StreamingDataset<PickColumns<F, K>>>;
export function loadDataset<F extends Features = Features, const K extends ColumnOf<F> = ColumnOf<F>>(
  spec: string | readonly string[],
  options: LoadOptions<F, K> & { readonly streaming: true },
): Promise<StreamingDataset<PickColumns<F, K>> | DatasetDict<StreamingDataset<PickColumns<F, K>>>>;
export function loadDataset<F extends Features = Features, const K extends ColumnOf<F> = ColumnOf<F>>(
  spec: string | readonly string[],
  options: LoadOptions<F, K> & { readonly streaming?: false | undefined; readonly split: string },
): Promise<Dataset<PickColumns<F, K>>>;
export function loadDataset<F extends Features = Features, const K extends ColumnOf<F> = ColumnOf<F>>(
  spec: string | readonly string[],
  options?: LoadOptions<F, K>,
): Promise<Dataset<PickColumns<F, K>> | DatasetDict<Dataset<PickColumns<F, K>>>>;
export async function loadDataset(
  spec: string | readonly string[],
  { streaming = false, columns, ...request }: LoadOptions = {},
): Promise<unknown> {
  const source = await openSource(spec, request);
  const open = streaming ? openStream : openRows;
  const splits = [...source.splits.keys()];
  if (columns) checkColumns(columns, await source.features(), source.name, source.name);
  const one = (part: Source): Dataset | StreamingDataset => {
    const dataset = open(new SourceReader(part, request.features));
    return columns ? dataset.columns(columns) : dataset;
  };
  if (splits.length <= 1) return one(source);
  return new DatasetDict(splits.map((split) => [split, one(source.only(split))]));
}

const openRows = (reader: SourceReader): Dataset => new Dataset(new FileRows(reader));

const openStream = (reader: SourceReader): StreamingDataset => new StreamingDataset(reader);
