import { isUtf8 } from "node:buffer";
import type { SchemaElement } from "hyparquet";
import { parseJson } from "../../../base/exact-json.js";
import { integers64, numberArrayOf } from "../../batch/batch.js";
import { type DTypeParts, dtypeParts, type TimeUnit } from "../../features/dtypes.js";
import { type Feature, isA } from "../../features/feature.js";
import { decimalText, timestampOf } from "../../features/moments.js";
import { float16Number } from "../float16.js";
import { ByteArrays, type Dense } from "./plain.js";

/** Values as rows have them (`ValueOf`), without nulls. */
type Values = ArrayLike<unknown>;

/**
 * Turns the stored values of a page, or of a dictionary, into those of a feature.
 * @throws Error for text that is not UTF-8, and what is no JSON
 */
export function convertDense(dense: Dense, element: SchemaElement, feature: Feature): Values {
  if (isA(feature, "ClassLabel")) return integers64(dense as BigInt64Array, true);
  if (isA(feature, "Json")) return textsOf(dense).map(parseJson);
  return convertByType(dense, element, dtypeParts((feature as { dtype: string }).dtype));
}

function convertByType(dense: Dense, element: SchemaElement, parts: DTypeParts): Values {
  switch (parts.kind) {
    case "int":
      return convertInts(dense, parts);
    case "float":
      return parts.bits === 16
        ? Float32Array.from(
            each(dense, (bytes) =>
              float16Number((bytes as Uint8Array)[0]! | ((bytes as Uint8Array)[1]! << 8)),
            ) as number[],
          )
        : (dense as Float64Array);
    case "string":
      return textsOf(dense);
    case "binary":
      // Copied: a view would keep the whole page.
      return each(dense, (bytes) => Buffer.from(bytes as Uint8Array));
    case "decimal":
      return each(dense, (value) => decimalText(unscaledOf(value), element.scale ?? logicalScale(element)));
    case "date":
      return each(dense, (value) => new Date(element.type === "INT32" ? Number(value) * 86_400_000 : Number(value)));
    case "time":
      // Seconds are stored as milliseconds.
      return each(dense, parts.unit === "s" ? (value) => Number(value) / 1000 : Number);
    case "timestamp":
      return convertTimestamps(dense, element, parts.unit);
    case "duration":
      return integers64(dense as BigInt64Array, true);
    case "null":
    case "bool":
      return dense as ArrayLike<unknown>;
  }
}

function convertInts(dense: Dense, { bits, signed }: DTypeParts & { kind: "int" }): Values {
  if (bits === 64) {
    if (dense instanceof Int32Array) return Float64Array.from(dense);
    const exact = dense as BigInt64Array;
    return integers64(signed ? exact : new BigUint64Array(exact.buffer, exact.byteOffset, exact.length), signed);
  }
  const target = numberArrayOf({ kind: "int", bits, signed });
  if (bits === 32 && dense instanceof Int32Array)
    return signed ? dense : new Uint32Array(dense.buffer, dense.byteOffset, dense.length);
  return target.from(Array.from(dense as ArrayLike<number | bigint>, Number));
}

function convertTimestamps(dense: Dense, element: SchemaElement, unit: TimeUnit): Values {
  if (element.type === "INT96") return each(dense, (bytes) => timestampOf(int96Nanos(bytes as Uint8Array), "ns"));
  const logical = element.logical_type;
  const stored =
    logical?.type === "TIMESTAMP" ? logical.unit : element.converted_type === "TIMESTAMP_MICROS" ? "MICROS" : "MILLIS";
  // Seconds are stored as milliseconds.
  const storedUnit: TimeUnit = stored === "NANOS" ? "ns" : stored === "MICROS" ? "us" : "ms";
  if (unit === "s") return each(dense, (value) => timestampOf((value as bigint) / 1000n, "s"));
  return each(dense, (value) => timestampOf(value as bigint, storedUnit));
}

/** Nanoseconds of the day, then the Julian day. */
function int96Nanos(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 12);
  return (BigInt(view.getInt32(8, true)) - 2_440_588n) * 86_400_000_000_000n + view.getBigInt64(0, true);
}

function unscaledOf(value: unknown): bigint {
  if (typeof value === "number" || typeof value === "bigint") return BigInt(value);
  // Big-endian, two's complement.
  const bytes = value as Uint8Array;
  if (bytes.length === 0) return 0n;
  return BigInt.asIntN(
    8 * bytes.length,
    BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`),
  );
}

const logicalScale = ({ logical_type: logical }: SchemaElement): number =>
  logical?.type === "DECIMAL" ? logical.scale : 0;

function textsOf(dense: Dense): string[] {
  const bytes = dense as ByteArrays;
  const texts = new Array<string>(bytes.length);
  for (let i = 0; i < texts.length; i++) {
    const text = bytes.textAt(i);
    if (text.includes("\ufffd") && !isUtf8(bytes.at(i)))
      throw new Error(`text that is not valid UTF-8: ${JSON.stringify(text.slice(0, 60))}`);
    texts[i] = text;
  }
  return texts;
}

function each(dense: Dense, convert: (value: unknown) => unknown): unknown[] {
  const values = new Array<unknown>(dense.length);
  if (dense instanceof ByteArrays) for (let i = 0; i < values.length; i++) values[i] = convert(dense.at(i));
  else for (let i = 0; i < values.length; i++) values[i] = convert(dense[i]);
  return values;
}
