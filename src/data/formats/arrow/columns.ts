import { isUtf8 } from "node:buffer";
import type { Data, DataType } from "apache-arrow";
import { parseJson } from "../../../base/exact-json.js";
import { type Column, integers64, numberArrayOf, plainInteger } from "../../batch/batch.js";
import { type DTypeParts, dtypeParts } from "../../features/dtypes.js";
import { type Feature, isA, isList, type MapFeature, type Struct, splitNullable } from "../../features/feature.js";
import { decimalText, timestampOf } from "../../features/moments.js";
import { float16Number } from "../float16.js";
import { takerOf } from "../take-lists.js";
import type { ArrowEngine } from "./engine.js";

type Values = ArrayLike<unknown>;

/** The values of a column of a record batch, as `ValueOf` says. @throws Error for text that is not UTF-8 */
export const columnOf = (arrow: ArrowEngine, data: Data, feature: Feature): Column =>
  valuesOf(arrow, data, feature) as Column;

function valuesOf(arrow: ArrowEngine, data: Data, feature: Feature): Values {
  const { core } = splitNullable(feature);
  const all = presentOrNot(arrow, data, core);
  if (data.nullCount === 0 || arrow.DataType.isNull(data.type)) return all;
  const isValid = validity(data);
  const isWide = all instanceof BigInt64Array || all instanceof BigUint64Array;
  return Array.from({ length: data.length }, (_, i) =>
    isValid(i) ? (isWide ? plainInteger(all[i] as bigint) : all[i]) : null,
  );
}

function validity(data: Data): (index: number) => boolean {
  const { nullBitmap, offset } = data;
  return (index) => ((nullBitmap[(offset + index) >> 3]! >> ((offset + index) & 7)) & 1) === 1;
}

/** With any value where there is none. */
function presentOrNot(arrow: ArrowEngine, data: Data, core: Feature): Values {
  const { DataType } = arrow;
  if (DataType.isDictionary(data.type)) {
    const values = data.dictionary!.data.flatMap((one: Data) => Array.from(valuesOf(arrow, one, core)));
    return Array.from(
      data.values.subarray(0, data.length) as ArrayLike<number>,
      (index) => values[Number(index)] ?? null,
    );
  }
  if (isList(core)) return listsOf(arrow, data, core.feature, core);
  if (isA(core, "Map")) {
    const { key, value } = core as MapFeature;
    return listsOf(arrow, data, { key, value } as Struct, core);
  }
  if (isA(core, "ClassLabel")) return numbersOf(data, { kind: "int", bits: 64, signed: true });
  if (isA(core, "Json")) return textsOf(arrow, data).map((text) => (text === null ? null : parseJson(text)));
  return isA(core, "Value") ? scalarsOf(arrow, data, dtypeParts(core.dtype)) : structsOf(arrow, data, core as Struct);
}

function scalarsOf(arrow: ArrowEngine, data: Data, parts: DTypeParts): Values {
  const { values, length } = data;
  switch (parts.kind) {
    case "int":
      return numbersOf(data, parts);
    case "float":
      return parts.bits === 16
        ? Float32Array.from(values.subarray(0, length) as Uint16Array, float16Number)
        : values.subarray(0, length);
    case "bool":
      return Array.from({ length }, (_, i) => ((values[(data.offset + i) >> 3]! >> ((data.offset + i) & 7)) & 1) === 1);
    case "null":
      return new Array(length).fill(null);
    case "string":
      return textsOf(arrow, data);
    case "binary":
      return bytesOf(arrow, data);
    case "decimal":
      return Array.from({ length }, (_, i) =>
        decimalText(wideInteger(values as Uint32Array, i, parts.bits / 32), parts.scale),
      );
    case "date":
      return Array.from(
        values.subarray(0, length) as ArrayLike<number | bigint>,
        (value) => new Date(parts.unit === "day" ? Number(value) * 86_400_000 : Number(value)),
      );
    case "time":
      return Array.from(values.subarray(0, length) as ArrayLike<number | bigint>, Number);
    case "timestamp":
      return Array.from(values.subarray(0, length) as BigInt64Array, (value) => timestampOf(value, parts.unit));
    case "duration":
      return integers64(values.subarray(0, length) as BigInt64Array, true);
  }
}

function numbersOf({ values, length, type }: Data, parts: DTypeParts & { kind: "int" }): Values {
  const stored = values.subarray(0, length) as Int32Array | BigInt64Array;
  if (parts.bits === 64) {
    // Labels may be stored in fewer bits.
    return (type as { bitWidth?: number }).bitWidth === 64
      ? integers64(stored as BigInt64Array, parts.signed)
      : Float64Array.from(stored as Int32Array);
  }
  const array = numberArrayOf(parts);
  return stored instanceof (array as unknown as new () => Int32Array)
    ? stored
    : array.from(Array.from(stored as unknown as ArrayLike<number>, Number));
}

function wideInteger(words: Uint32Array, index: number, count: number): bigint {
  let value = 0n;
  for (let i = count - 1; i >= 0; i--) value = (value << 32n) | BigInt(words[index * count + i]!);
  return BigInt.asIntN(32 * count, value);
}

/** Undefined for views, whose values lie in several buffers. */
function bordersOf(data: Data): ArrayLike<number | bigint> | undefined {
  return data.valueOffsets as unknown as ArrayLike<number | bigint> | undefined;
}

function eachBytes(arrow: ArrowEngine, data: Data): (index: number) => Buffer {
  const { DataType, Type } = arrow;
  const borders = bordersOf(data);
  const bytes = Buffer.from(
    data.values?.buffer ?? new ArrayBuffer(0),
    data.values?.byteOffset,
    data.values?.byteLength,
  );
  if (DataType.isFixedSizeBinary(data.type)) {
    const width = data.type.byteWidth;
    return (index) => bytes.subarray(index * width, (index + 1) * width);
  }
  if (data.type.typeId === Type.Utf8View || data.type.typeId === Type.BinaryView || !borders) {
    const vector = arrow.makeVector(data);
    return (index) => Buffer.from((vector.get(index) ?? "") as string);
  }
  return (index) => bytes.subarray(Number(borders[index]), Number(borders[index + 1]));
}

function textsOf(arrow: ArrowEngine, data: Data): (string | null)[] {
  const at = eachBytes(arrow, data);
  const isValid = data.nullCount === 0 ? () => true : validity(data);
  return Array.from({ length: data.length }, (_, i) => {
    if (!isValid(i)) return null;
    const bytes = at(i);
    const text = bytes.toString("utf8");
    if (text.includes("\ufffd") && !isUtf8(bytes))
      throw new Error(`text that is not valid UTF-8: ${JSON.stringify(text.slice(0, 60))}`);
    return text;
  });
}

/** Copied: a view would keep the whole batch. */
function bytesOf(arrow: ArrowEngine, data: Data): Buffer[] {
  const at = eachBytes(arrow, data);
  return Array.from({ length: data.length }, (_, i) => Buffer.from(at(i)));
}

function listsOf(arrow: ArrowEngine, data: Data<DataType>, item: Feature, core: Feature): unknown[] {
  const child = data.children[0] as Data;
  const take = takerOf(valuesOf(arrow, child, item), core);
  const borders = bordersOf(data);
  if (borders) return Array.from({ length: data.length }, (_, i) => take(Number(borders[i]), Number(borders[i + 1])));
  const size = (data.type as unknown as { listSize: number }).listSize;
  return Array.from({ length: data.length }, (_, i) => take(i * size, (i + 1) * size));
}

function structsOf(arrow: ArrowEngine, data: Data, struct: Struct): unknown[] {
  const names = Object.keys(struct);
  const fields = names.map((name, i) => valuesOf(arrow, data.children[i] as Data, struct[name]!));
  return Array.from({ length: data.length }, (_, row) => {
    const one: Record<string, unknown> = {};
    for (const [i, name] of names.entries()) {
      const value = fields[i]![row];
      one[name] = typeof value === "bigint" && !isTimestamp(struct[name]!) ? plainInteger(value) : value;
    }
    return one;
  });
}

function isTimestamp(feature: Feature): boolean {
  const { core } = splitNullable(feature);
  return isA(core, "Value") && dtypeParts(core.dtype).kind === "timestamp";
}
