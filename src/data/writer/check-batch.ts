import { didYouMean } from "../../base/nearest.js";
import { own } from "../../base/own.js";
import { type Batch, type Column, compactColumn, numberArrayOf } from "../batch/batch.js";
import { BadValue, guarded } from "../features/bad-value.js";
import { checkOf } from "../features/check.js";
import { dtypeParts } from "../features/dtypes.js";
import { type Feature, type Features, isA, isList, splitNullable, type Value } from "../features/feature.js";

/**
 * The columns that `createRowCheck` would make of the rows. A typed array of the very type is taken as it is.
 * @throws BadValue
 */
export function checkBatch({ length, columns }: Batch, features: Features): Batch {
  const names = Object.keys(features);
  const unknown = Object.keys(columns).find((name) => !Object.hasOwn(features, name));
  if (unknown !== undefined)
    throw new BadValue(
      unknown,
      `the features have no such column.${didYouMean(unknown, names)} They have: ${names.join(", ")}`,
    );
  const checked: Record<string, Column> = {};
  for (const name of names) {
    const column = own(columns, name) ?? new Array(length).fill(null);
    if (column.length !== length) throw new BadValue(name, `${column.length} values in a batch of ${length} rows`);
    checked[name] = holdsOnly(column, features[name]!) ? column : checkColumn(column, features[name]!, name);
  }
  return { length, columns: checked };
}

function checkColumn(column: Column, feature: Feature, name: string): Column {
  const check = guarded(checkOf(feature));
  const values: unknown[] = new Array(column.length);
  for (let i = 0; i < values.length; i++) values[i] = check(column[i], name);
  return compactColumn(values, feature);
}

/** No value of it can be out of range: a typed array of the very type, or a list of them. */
function holdsOnly(column: Column, feature: Feature): boolean {
  const { core, nullable } = splitNullable(feature);
  if (isA(core, "Value")) return ArrayBuffer.isView(column) && holdsNumbers(column, core);
  if (!isList(core) || core.length >= 0 || ArrayBuffer.isView(column)) return false;
  const item = splitNullable(core.feature).core;
  if (!isA(item, "Value")) return false;
  return column.every((list) => (list === null ? nullable : ArrayBuffer.isView(list) && holdsNumbers(list, item)));
}

function holdsNumbers(numbers: ArrayBufferView, { dtype }: Value): boolean {
  const parts = dtypeParts(dtype);
  if (parts.kind !== "float" && parts.kind !== "int") return false;
  // float16 is kept as float32, which has larger numbers.
  if (parts.kind === "float" ? parts.bits > 16 : parts.bits < 64) return numbers instanceof numberArrayOf(parts);
  if (parts.kind === "float") return false;
  if (numbers instanceof (parts.signed ? BigInt64Array : BigUint64Array)) return true;
  return numbers instanceof Float64Array && numbers.every((n) => Number.isSafeInteger(n) && (parts.signed || n >= 0));
}
