import { KagurazakaError } from "../../base/errors.js";
import { own } from "../../base/own.js";
import { batchOf, type Column, compactColumn, type Row, rowsOf } from "../batch/batch.js";
import { BadValue, checkOf, createRowCheck } from "../features/check.js";
import type { Feature, Features } from "../features/feature.js";
import { jsonText } from "../features/json-text.js";
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
  /**
   * @param features of the source: rows of a format without a schema become columns of these
   * @throws KagurazakaError `bad-data` for a row that they do not allow
   */
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
      reader.batches ? reader.batches(request) : batchesOfRows(reader, chosen(wanted, request), request),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

async function* rowsOfBatches(batches: AsyncGenerator<PlacedBatch>, request: ReadRequest): AsyncGenerator<RowBlock> {
  for await (const batch of batches) yield* cut({ rows: rowsOf(batch), first: batch.first }, request.batchRows);
}

async function* batchesOfRows(
  reader: ShardReader,
  features: Features | undefined,
  request: ReadRequest,
): AsyncGenerator<PlacedBatch> {
  if (features === undefined) throw new Error("columns of rows need features");
  const columnChecks = Object.entries(features).map(([name, one]) => [name, checkOf(one), one] as const);
  const check = createRowCheck(features);
  for await (const given of reader.rows!(request)) {
    const columns = checkedColumns(given.rows, features, columnChecks);
    if (columns) {
      yield { length: given.rows.length, columns, first: positionOf(given, 0), positions: given.positions };
      continue;
    }
    let bad: { position: number; row: Row; error: BadValue } | undefined;
    const block = checkedBlock(given, check, (row, position, error) => {
      if (!request.onBadRow) bad ??= { position, row, error };
      else request.onBadRow({ position, what: error.message, hint: MISFIT, text: textOf(row) });
    });
    if (bad) {
      const where = await reader.where(request.from ?? 0, bad.position);
      throw new KagurazakaError("bad-data", `${where}: ${bad.error.message}`, {
        where,
        hint: MISFIT,
        cause: bad.error,
      });
    }
    if (block.rows.length > 0)
      yield { ...batchOf(block.rows, features), first: positionOf(block, 0), positions: block.positions };
  }
}

const MISFIT =
  "What a column is was found in the first rows. Leave it out with --columns, or use a function over rows.";

type ColumnCheck = readonly [name: string, check: ReturnType<typeof checkOf>, feature: Feature];

/** As the checked rows have them, without an object for each; undefined where one of the rows does not fit. */
function checkedColumns(
  rows: readonly Row[],
  features: Features,
  checks: readonly ColumnCheck[],
): Record<string, Column> | undefined {
  for (const row of rows)
    for (const name in row) if (!Object.hasOwn(features, name) && row[name] !== undefined) return undefined;
  const columns: Record<string, Column> = {};
  try {
    for (const [name, check, feature] of checks) {
      const values: unknown[] = new Array(rows.length);
      for (let i = 0; i < rows.length; i++) values[i] = check(own(rows[i]!, name), name);
      columns[name] = compactColumn(values, feature);
    }
    return columns;
  } catch (error) {
    if (error instanceof BadValue) return undefined;
    throw error;
  }
}

type OnMisfit = (row: Row, position: number, error: BadValue) => void;

/** The rows that the check allows, and their positions. */
function checkedBlock(block: RowBlock, check: (row: Row) => Row, onMisfit: OnMisfit): RowBlock {
  const rows: Row[] = [];
  const positions: number[] = [];
  for (let i = 0; i < block.rows.length; i++) {
    const position = positionOf(block, i);
    try {
      rows.push(check(block.rows[i]!));
      positions.push(position);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      onMisfit(block.rows[i]!, position, error);
    }
  }
  return rows.length === block.rows.length ? { ...block, rows } : { rows, first: positions[0] ?? 0, positions };
}

function textOf(row: Row): string | undefined {
  try {
    return jsonText(row);
  } catch {
    return undefined;
  }
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
