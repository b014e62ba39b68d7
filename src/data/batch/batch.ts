import { own } from "../../base/own.js";
import { type DTypeParts, dtypeParts } from "../features/dtypes.js";
import { type Feature, type Features, isA, isList, splitNullable } from "../features/feature.js";
import { doublesOf } from "./wide-integers.js";

/** One record. `bigint` for integers beyond 2^53, `Uint8Array` for bytes, typed arrays for lists of numbers. */
// biome-ignore lint/suspicious/noExplicitAny: a row's fields are what its file has; `ValueOf<F>` types them where features are known.
export type Row = Record<string, any>;

export type NumberArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** The values of a column. Numbers without nulls are a typed array; int64 is Float64Array, or BigInt64Array where one is beyond 2^53. */
export type Column = NumberArray | readonly unknown[];

/** Records as columns: what moves between stages. */
export interface Batch {
  readonly length: number;
  readonly columns: Readonly<Record<string, Column>>;
}

/** The records of a batch. Their values are shared with it, not copied. */
export function rowsOf(batch: Batch): Row[] {
  const names = Object.keys(batch.columns);
  const columns = names.map((name) => plainIntegers(batch.columns[name]!));
  const rows: Row[] = new Array(batch.length);
  for (let i = 0; i < batch.length; i++) {
    const row: Row = {};
    for (let c = 0; c < names.length; c++) row[names[c]!] = columns[c]![i];
    rows[i] = row;
  }
  return rows;
}

/** A column of bigints where those within 2^53 are numbers, as rows have them. */
function plainIntegers(column: Column): Column {
  if (!(column instanceof BigInt64Array || column instanceof BigUint64Array)) return column;
  return Array.from(column, plainInteger);
}

export function plainInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Records as columns of these features; a field that a record lacks is null. Values are taken as they are: `createRowCheck` first. */
export function batchOf(rows: readonly Row[], features: Features): Batch {
  const columns: Record<string, Column> = {};
  for (const [name, feature] of Object.entries(features)) {
    const values: unknown[] = new Array(rows.length);
    for (let i = 0; i < rows.length; i++) values[i] = own(rows[i]!, name) ?? null;
    columns[name] = compactColumn(values, feature);
  }
  return { length: rows.length, columns };
}

/** The values as a typed array, where they are numbers without nulls. */
export function compactColumn(values: readonly unknown[], feature: Feature): Column {
  const { core } = splitNullable(feature);
  const isLabel = isA(core, "ClassLabel");
  if (!isLabel && !isA(core, "Value")) return values;
  const parts = isLabel
    ? ({ kind: "int", bits: 64, signed: true } as const)
    : dtypeParts((core as { dtype: string }).dtype);
  return parts.kind === "int" || parts.kind === "float" ? compactNumbers(values, parts) : values;
}

/** Float64Array where all are within 2^53. */
export function integers64(
  values: ArrayLike<number | bigint>,
  signed: boolean,
): Float64Array | BigInt64Array | BigUint64Array {
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return doublesOf(values) ?? values;
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const number = Number(values[i]);
    if (!Number.isSafeInteger(number)) {
      const exact = Array.from(values, (value) => BigInt(value));
      return signed ? BigInt64Array.from(exact) : BigUint64Array.from(exact);
    }
    numbers[i] = number;
  }
  return numbers;
}

interface NumberArrayType {
  new (length: number): NumberArray;
  from(values: ArrayLike<number>): NumberArray;
}

/** The typed array for numbers of up to 53 bits. */
export function numberArrayOf(parts: {
  readonly kind: "int" | "float";
  readonly bits: number;
  readonly signed?: boolean;
}): NumberArrayType {
  if (parts.kind === "float") return parts.bits === 64 ? Float64Array : Float32Array;
  switch (parts.bits) {
    case 8:
      return parts.signed ? Int8Array : Uint8Array;
    case 16:
      return parts.signed ? Int16Array : Uint16Array;
    case 32:
      return parts.signed ? Int32Array : Uint32Array;
    default:
      return Float64Array;
  }
}

export type NumberParts = Extract<DTypeParts, { kind: "int" | "float" }>;

/** The dtype's parts of a list of numbers: a list of them without nulls is a typed array. */
export function listOfNumbers(feature: Feature): NumberParts | undefined {
  const { core } = splitNullable(feature);
  if (!isList(core)) return undefined;
  const element = splitNullable(core.feature).core;
  const parts = isA(element, "Value") ? dtypeParts(element.dtype) : undefined;
  return parts?.kind === "int" || parts?.kind === "float" ? parts : undefined;
}

/** A typed array, unless a value is null. */
export function compactNumbers(values: readonly unknown[], parts: NumberParts): NumberArray | readonly unknown[] {
  for (const value of values) if (value === null || value === undefined) return values;
  if (parts.kind === "int" && parts.bits === 64) return integers64(values as (number | bigint)[], parts.signed);
  return numberArrayOf(parts).from(values as number[]);
}

export function sliceBatch(batch: Batch, from: number, to: number): Batch {
  const columns: Record<string, Column> = {};
  for (const [name, column] of Object.entries(batch.columns))
    columns[name] = ArrayBuffer.isView(column) ? column.subarray(from, to) : column.slice(from, to);
  return { length: Math.min(to, batch.length) - from, columns };
}
