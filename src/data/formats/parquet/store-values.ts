import type { SchemaElement } from "hyparquet";
import { wideOf } from "../../batch/wide-integers.js";
import { type DTypeParts, dtypeParts, type TimeUnit } from "../../features/dtypes.js";
import { type Feature, isA } from "../../features/feature.js";
import { jsonValueText } from "../../features/json-text.js";
import { unitsOf, unscaled } from "../../features/moments.js";
import { float16Bits } from "../float16.js";

/** Values as they are stored in a page: numbers, or bytes of any length. */
export type Stored =
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | readonly boolean[]
  | readonly Uint8Array[];

/** The inverse of `convertDense`. */
export function storedValues(values: ArrayLike<unknown>, element: SchemaElement, feature: Feature): Stored {
  if (isA(feature, "ClassLabel")) return wideOf(values);
  if (isA(feature, "Json")) return each(values, (value) => Buffer.from(jsonValueText(value, element.name)));
  return storedByType(values, element, dtypeParts((feature as { dtype: string }).dtype));
}

function storedByType(values: ArrayLike<unknown>, element: SchemaElement, parts: DTypeParts): Stored {
  switch (parts.kind) {
    case "null":
      return new Int32Array(0);
    case "bool":
      return values as readonly boolean[];
    case "int":
      if (parts.bits === 64) return wideOf(values);
      return values instanceof Int32Array ? values : Int32Array.from(values as ArrayLike<number>);
    case "float":
      return storedFloats(values as ArrayLike<number>, parts.bits);
    case "string":
      return each(values, (text) => Buffer.from(text as string));
    case "binary":
      return values as readonly Uint8Array[];
    case "decimal":
      return each(values, (text) => fixedBytes(unscaled(text as string, parts.scale), element.type_length!));
    case "date":
      return Int32Array.from(values as ArrayLike<Date>, (date) => Math.floor(date.getTime() / 86_400_000));
    case "time":
      return storedTimes(values as ArrayLike<number>, parts.unit);
    case "timestamp":
      return storedTimestamps(values as ArrayLike<Date | bigint>, parts.unit);
    case "duration":
      return wideOf(values);
  }
}

const each = (values: ArrayLike<unknown>, store: (value: unknown) => Uint8Array): Uint8Array[] =>
  Array.from(values, store);

function storedFloats(values: ArrayLike<number>, bits: number): Stored {
  if (bits === 64) return values instanceof Float64Array ? values : Float64Array.from(values);
  if (bits === 32) return values instanceof Float32Array ? values : Float32Array.from(values);
  return Array.from(values, float16Bytes);
}

function float16Bytes(value: number): Uint8Array {
  const half = float16Bits(value);
  return Uint8Array.of(half & 0xff, half >> 8);
}

/** Big-endian, two's complement. */
function fixedBytes(value: bigint, length: number): Uint8Array {
  const digits = BigInt.asUintN(8 * length, value)
    .toString(16)
    .padStart(2 * length, "0");
  return Buffer.from(digits, "hex");
}

function storedTimes(values: ArrayLike<number>, unit: TimeUnit): Stored {
  if (unit === "s") return Int32Array.from(values, (value) => value * 1000);
  return unit === "ms" ? Int32Array.from(values) : wideOf(values);
}

function storedTimestamps(values: ArrayLike<Date | bigint>, unit: TimeUnit): Stored {
  // Seconds are stored as milliseconds.
  const scale = unit === "s" ? 1000n : 1n;
  return BigInt64Array.from(Array.from(values, (value) => unitsOf(value, unit) * scale));
}
