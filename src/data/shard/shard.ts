import { own } from "../../base/own.js";
import { batchOf, rowsOf } from "../batch/batch.js";
import type { Feature, Features } from "../features/feature.js";
import type {
  FormatDefinition,
  Packing,
  PlacedBatch,
  Range,
  ReadRequest,
  RowBlock,
  ShardReader,
  SliceSize,
} from "../formats/format.js";
import { cut, positionOf } from "../formats/row-block.js";
import { openFile } from "../stores/index.js";
import type { DataFile } from "../stores/store.js";

interface ShardOptions {
  /** Path or URL. */
  readonly path: string;
  /** The same, opened already; the shard closes it. */
  readonly file?: DataFile | undefined;
  readonly format: FormatDefinition;
  readonly packing: Packing;
  /** Options of the format. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Of the whole source. A format without a schema makes its values of them. */
  readonly features?: Features | undefined;
}

/** An open shard of any format, as rows and as batches. */
export interface Shard extends AsyncDisposable {
  readonly reader: ShardReader;
  slices(size: SliceSize): Promise<readonly Range[]>;
  rows(request?: ReadRequest): AsyncGenerator<RowBlock>;
  /** @param features of the source: rows of a format without a schema become columns of these */
  batches(request?: ReadRequest, features?: Features): AsyncGenerator<PlacedBatch>;
}

/** @throws KagurazakaError `source`, `bad-data` */
export async function openShard({ path, format, packing, options, features, ...given }: ShardOptions): Promise<Shard> {
  const file = given.file ?? (await openFile(path));
  let reader: ShardReader;
  try {
    reader = await format.open({ file, packing, options: options as never, features });
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
  return {
    reader,
    slices: (size) => reader.slices(size),
    rows: (request = {}) => (reader.rows ? reader.rows(request) : rowsOfBatches(reader.batches!(request), request)),
    batches: (request = {}, wanted = features ?? reader.features) =>
      reader.batches ? reader.batches(request) : batchesOfRows(reader.rows!(request), chosen(wanted, request)),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

async function* rowsOfBatches(batches: AsyncGenerator<PlacedBatch>, request: ReadRequest): AsyncGenerator<RowBlock> {
  for await (const batch of batches) yield* cut({ rows: rowsOf(batch), first: batch.first }, request.batchRows);
}

async function* batchesOfRows(
  blocks: AsyncGenerator<RowBlock>,
  features: Features | undefined,
): AsyncGenerator<PlacedBatch> {
  if (features === undefined) throw new Error("columns of rows need features");
  for await (const block of blocks)
    yield { ...batchOf(block.rows, features), first: positionOf(block, 0), positions: block.positions };
}

function chosen(features: Features | undefined, { columns }: ReadRequest): Features | undefined {
  if (!features || !columns) return features;
  return Object.fromEntries(
    columns.flatMap((name): [string, Feature][] => {
      const feature = own(features, name);
      return feature ? [[name, feature]] : [];
    }),
  );
}
