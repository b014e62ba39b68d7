import type { Batch, Column } from "../../batch/batch.js";
import { dtypeParts } from "../../features/dtypes.js";
import {
  type Feature,
  type Features,
  isA,
  isList,
  type MapFeature,
  type Struct,
  splitNullable,
} from "../../features/feature.js";

/**
 * About how many bytes each row has in a record batch, for deciding where one ends. The same for the same rows, whichever arrays hold
 * them: lengths of texts are in UTF-16 units, numbers are of the width that their feature says.
 */
export function rowSizer(features: Features): (batch: Batch) => Float64Array {
  let fixed = 0;
  const sizers: { name: string; sizeOf: (value: unknown) => number }[] = [];
  for (const [name, feature] of Object.entries(features)) {
    const width = fixedBytes(feature);
    if (width === undefined) sizers.push({ name, sizeOf: sizer(feature) });
    else fixed += width;
  }
  return ({ length, columns }) => {
    const sums = new Float64Array(length).fill(fixed);
    for (const { name, sizeOf } of sizers) addColumn(sums, columns[name]!, sizeOf);
    return sums;
  };
}

function addColumn(sums: Float64Array, column: Column, sizeOf: (value: unknown) => number): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += sizeOf(column[i]);
}

/** Of a value that has as many bytes as every other. */
function fixedBytes(feature: Feature): number | undefined {
  const { core } = splitNullable(feature);
  if (isA(core, "ClassLabel")) return 8;
  if (!isA(core, "Value")) return undefined;
  const parts = dtypeParts(core.dtype);
  switch (parts.kind) {
    case "null":
      return 0;
    case "bool":
      return 1;
    case "string":
    case "binary":
      return undefined;
    case "int":
    case "float":
    case "decimal":
      return parts.bits / 8;
  }
  return 8;
}

/** Of values that differ. */
function sizer(feature: Feature): (value: unknown) => number {
  const { core } = splitNullable(feature);
  if (isA(core, "Json")) return jsonBytes;
  if (isA(core, "Value")) return (value) => 4 + ((value as ArrayLike<unknown> | null | undefined)?.length ?? 0);
  if (isList(core)) return listSizer(core.feature);
  if (isA(core, "Map")) {
    const { key, value } = core as MapFeature;
    return listSizer({ key, value } as Struct);
  }
  const fields = Object.entries(core as Struct).map(([name, field]) => ({ name, sizeOf: sizerOf(field) }));
  return (value) => {
    const struct = value as Record<string, unknown> | null | undefined;
    let sum = 0;
    for (const { name, sizeOf } of fields) sum += sizeOf(struct?.[name]);
    return sum;
  };
}

function sizerOf(feature: Feature): (value: unknown) => number {
  const width = fixedBytes(feature);
  return width === undefined ? sizer(feature) : () => width;
}

function listSizer(item: Feature): (value: unknown) => number {
  const width = fixedBytes(item);
  if (width !== undefined) return (list) => 4 + width * ((list as ArrayLike<unknown> | null | undefined)?.length ?? 0);
  const sizeOf = sizer(item);
  return (list) => {
    let sum = 4;
    const items = (list ?? []) as ArrayLike<unknown>;
    for (let i = 0; i < items.length; i++) sum += sizeOf(items[i]);
    return sum;
  };
}

/** About as many as its text has. */
function jsonBytes(value: unknown): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return 6;
  let sum = 2;
  for (const [key, one] of Object.entries(value)) sum += key.length + 4 + jsonBytes(one);
  return sum;
}
