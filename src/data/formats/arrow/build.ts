import type { Data, DataType } from "apache-arrow";
import type { Column, NumberArray } from "../../batch/batch.js";
import { wideOf } from "../../batch/wide-integers.js";
import { type DTypeParts, dtypeParts, type TimeUnit } from "../../features/dtypes.js";
import { type Feature, isA, isList, type MapFeature, type Struct, splitNullable } from "../../features/feature.js";
import { jsonValueText } from "../../features/json-text.js";
import { unitsOf, unscaled } from "../../features/moments.js";
import { float16Bits } from "../float16.js";
import { byteData, textData } from "./build-bytes.js";
import type { ArrowEngine } from "./engine.js";

/** A column as Arrow has it in memory. */
export function dataOf(
  arrow: ArrowEngine,
  column: Column | readonly unknown[],
  type: DataType,
  feature: Feature,
): Data {
  const { core } = splitNullable(feature);
  const { length } = column;
  const nulls = nullsOf(column);
  const common = { type, length, nullCount: nulls.count, nullBitmap: nulls.bitmap };
  // biome-ignore lint/suspicious/noExplicitAny: `makeData` has a type for each kind of column; which one it is, is known here only at run time.
  const make = (props: object): Data => arrow.makeData({ ...common, ...props } as any);
  if (isList(core)) return listData(arrow, column, type, core.feature, core.length, make);
  if (isA(core, "Map")) {
    const { key, value } = core as MapFeature;
    return listData(arrow, column, type, { key, value } as Struct, -1, make);
  }
  if (isA(core, "ClassLabel")) return make({ data: wideOf(column) });
  if (isA(core, "Json"))
    return make(
      textData(
        Array.from(column, (value) => (value === null || value === undefined ? null : jsonValueText(value, "(json)"))),
        false,
      ),
    );
  if (isA(core, "Value")) return make(scalarData(column, dtypeParts(core.dtype)));
  return make({ children: structChildren(arrow, column, type, core as Struct) });
}

function nullsOf(column: ArrayLike<unknown>): { count: number; bitmap: Uint8Array | undefined } {
  if (ArrayBuffer.isView(column)) return { count: 0, bitmap: undefined };
  let count = 0;
  for (let i = 0; i < column.length; i++) if (column[i] === null || column[i] === undefined) count++;
  if (count === 0) return { count, bitmap: undefined };
  const bitmap = new Uint8Array(Math.ceil(column.length / 8));
  for (let i = 0; i < column.length; i++)
    if (column[i] !== null && column[i] !== undefined) bitmap[i >> 3]! |= 1 << (i & 7);
  return { count, bitmap };
}

type Make = (props: object) => Data;

/** What an array may have, in Arrow's 32-bit offsets and in this library. */
const MAX_VALUES = 2 ** 31 - 1;

function listData(
  arrow: ArrowEngine,
  column: ArrayLike<unknown>,
  type: DataType,
  item: Feature,
  size: number,
  make: Make,
): Data {
  const isLarge = type.typeId === arrow.Type.LargeList;
  // Offsets are kept as numbers: those of a large list are widened in the end.
  const offsets = isLarge ? new Float64Array(column.length + 1) : new Int32Array(column.length + 1);
  const lists: ArrayLike<unknown>[] = new Array(column.length);
  const filler = size >= 0 ? fillerOf(size, item) : [];
  let total = 0;
  for (let i = 0; i < lists.length; i++) {
    // A list of fixed length has its room even where it is null.
    const list = (column[i] ?? filler) as ArrayLike<unknown>;
    lists[i] = list;
    total += list.length;
    offsets[i + 1] = total;
  }
  if (total > MAX_VALUES) throw new RangeError("a record batch has more than 2^31 values in its lists");
  const child = dataOf(arrow, joined(lists, total), (type.children[0] as { type: DataType }).type, item);
  return make(size >= 0 ? { child } : { valueOffsets: isLarge ? wideOf(offsets) : offsets, child });
}

/** Values that nobody reads. */
const fillerOf = (size: number, item: Feature): unknown[] => new Array(size).fill(size > 0 ? someValue(item) : null);

function someValue(feature: Feature): unknown {
  const { core, nullable } = splitNullable(feature);
  if (nullable || isA(core, "Json")) return null;
  if (isList(core)) return new Array(Math.max(0, core.length)).fill(core.length > 0 ? someValue(core.feature) : null);
  if (isA(core, "Map")) return [];
  if (isA(core, "ClassLabel")) return 0;
  if (!isA(core, "Value"))
    return Object.fromEntries(Object.entries(core as Struct).map(([name, field]) => [name, someValue(field)]));
  switch (dtypeParts(core.dtype).kind) {
    case "string":
      return "";
    case "binary":
      return new Uint8Array(0);
    case "decimal":
      return "0";
    case "date":
    case "timestamp":
      return new Date(0);
    case "bool":
      return false;
    default:
      return 0;
  }
}

/** Typed arrays of one kind stay one. */
function joined(lists: readonly ArrayLike<unknown>[], total: number): Column | readonly unknown[] {
  const first = lists.find(({ length }) => length > 0);
  if (ArrayBuffer.isView(first) && lists.every((list) => list.length === 0 || list.constructor === first.constructor))
    return joinedNumbers(lists as readonly Int32Array[], first as Int32Array, total);
  const values: unknown[] = new Array(total);
  let at = 0;
  for (const list of lists) for (let i = 0; i < list.length; i++) values[at++] = list[i];
  return values;
}

/** Lists that lie one behind the other in one buffer, as they do after reading, are copied at once, or not at all. */
function joinedNumbers(lists: readonly Int32Array[], first: Int32Array, total: number): Int32Array {
  const array = first.constructor as new (buffer: ArrayBufferLike | number, at?: number, length?: number) => Int32Array;
  const size = first.BYTES_PER_ELEMENT;
  let values: Int32Array | undefined;
  let filled = 0;
  for (let i = 0; i < lists.length; ) {
    const list = lists[i++]!;
    if (list.length === 0) continue;
    let { length } = list;
    for (; i < lists.length; i++) {
      const next = lists[i]!;
      if (next.length === 0) continue;
      if (next.buffer !== list.buffer || next.byteOffset !== list.byteOffset + length * size) break;
      length += next.length;
    }
    const run = length === list.length ? list : new array(list.buffer, list.byteOffset, length);
    if (length === total) return run;
    values ??= new array(total);
    values.set(run, filled);
    filled += length;
  }
  return values!;
}

function structChildren(arrow: ArrowEngine, column: ArrayLike<unknown>, type: DataType, struct: Struct): Data[] {
  return Object.entries(struct).map(([name, field], i) => {
    const values = Array.from(column, (one) => ((one as Record<string, unknown> | null)?.[name] ?? null) as unknown);
    return dataOf(arrow, values, (type.children[i] as { type: DataType }).type, field);
  });
}

function scalarData(column: ArrayLike<unknown>, parts: DTypeParts): object {
  switch (parts.kind) {
    case "int":
      if (parts.bits === 64) return { data: parts.signed ? wideOf(column) : unsigned(wideOf(column)) };
      return { data: numbers(column, intArrays[`${parts.signed ? "" : "u"}${parts.bits}`]!) };
    case "float":
      if (parts.bits === 16) return { data: numbers(column, Uint16Array, float16Bits) };
      return { data: parts.bits === 32 ? numbers(column, Float32Array) : numbers(column, Float64Array) };
    case "bool":
      return { data: bits(column) };
    case "null":
      return {};
    case "string":
      return textData(column as ArrayLike<string | null>, parts.large);
    case "binary":
      return byteData(column as ArrayLike<Uint8Array | null>, parts.large);
    case "decimal":
      return { data: decimals(column as ArrayLike<string | null>, parts) };
    case "date":
      return parts.unit === "day"
        ? { data: numbers(column, Int32Array, (one: Date) => Math.floor(one.getTime() / 86_400_000)) }
        : { data: wideOf(numbers(column, Float64Array, (one: Date) => one.getTime())) };
    case "time":
      return { data: parts.unit === "s" || parts.unit === "ms" ? numbers(column, Int32Array) : wideOf(column) };
    case "timestamp":
      return { data: timestamps(column as ArrayLike<Date | bigint | null>, parts.unit) };
    case "duration":
      return { data: wideOf(column) };
  }
}

const unsigned = (wide: BigInt64Array): BigUint64Array => new BigUint64Array(wide.buffer, wide.byteOffset, wide.length);

type FixedArray = Exclude<NumberArray, BigInt64Array | BigUint64Array>;

interface ArrayType<T extends FixedArray = FixedArray> {
  new (length: number): T;
  new (values: ArrayLike<number>): T;
}

const intArrays: Readonly<Record<string, ArrayType>> = {
  8: Int8Array,
  16: Int16Array,
  32: Int32Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
};

/** The column itself where it is stored like that. Nulls are 0. */
function numbers<T extends FixedArray>(
  column: ArrayLike<unknown>,
  array: ArrayType<T>,
  made?: (one: never) => number,
): T {
  if (!made && column instanceof array) return column;
  if (!made && ArrayBuffer.isView(column) && !isWide(column)) return new array(column as unknown as ArrayLike<number>);
  const stored = new array(column.length);
  for (let i = 0; i < column.length; i++) {
    const one = column[i];
    if (one !== null && one !== undefined) stored[i] = made ? made(one as never) : Number(one);
  }
  return stored;
}

const isWide = (values: unknown): boolean => values instanceof BigInt64Array || values instanceof BigUint64Array;

function timestamps(column: ArrayLike<Date | bigint | null>, unit: TimeUnit): BigInt64Array {
  const stored = new BigInt64Array(column.length);
  for (let i = 0; i < column.length; i++) {
    const one = column[i];
    if (one !== null && one !== undefined) stored[i] = unitsOf(one, unit);
  }
  return stored;
}

function bits(column: ArrayLike<unknown>): Uint8Array {
  const packed = new Uint8Array(Math.ceil(column.length / 8));
  for (let i = 0; i < column.length; i++) if (column[i] === true) packed[i >> 3]! |= 1 << (i & 7);
  return packed;
}

/** Little-endian words, two's complement. */
function decimals(column: ArrayLike<string | null>, { bits, scale }: DTypeParts & { kind: "decimal" }): Uint32Array {
  const words = bits / 32;
  const packed = new Uint32Array(column.length * words);
  for (let i = 0; i < column.length; i++) {
    const text = column[i];
    if (text === null || text === undefined) continue;
    let value = BigInt.asUintN(bits, unscaled(text, scale));
    for (let word = 0; word < words; word++, value >>= 32n) packed[i * words + word] = Number(value & 0xffffffffn);
  }
  return packed;
}
