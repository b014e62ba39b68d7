import type { Data, DataType } from "apache-arrow";
import type { Column } from "../../batch/batch.js";
import { type DTypeParts, dtypeParts } from "../../features/dtypes.js";
import { type Feature, isA, isList, type MapFeature, type Struct, splitNullable } from "../../features/feature.js";
import { jsonValueText } from "../../features/json-text.js";
import { unitsOf, unscaled } from "../../features/moments.js";
import { float16Bits } from "../float16.js";
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
  if (isA(core, "ClassLabel")) return make({ data: bigints(column) });
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
  const bitmap = new Uint8Array(Math.ceil(column.length / 8));
  for (let i = 0; i < column.length; i++) {
    if (column[i] === null || column[i] === undefined) count++;
    else bitmap[i >> 3]! |= 1 << (i & 7);
  }
  return count === 0 ? { count, bitmap: undefined } : { count, bitmap };
}

type Make = (props: object) => Data;

function listData(
  arrow: ArrowEngine,
  column: ArrayLike<unknown>,
  type: DataType,
  item: Feature,
  size: number,
  make: Make,
): Data {
  const isLarge = type.typeId === arrow.Type.LargeList;
  const offsets = isLarge ? undefined : new Int32Array(column.length + 1);
  const wide = isLarge ? new BigInt64Array(column.length + 1) : undefined;
  const lists: ArrayLike<unknown>[] = [];
  let total = 0;
  for (let i = 0; i < column.length; i++) {
    const list = (column[i] ?? null) as ArrayLike<unknown> | null;
    // A list of fixed length has its room even where it is null.
    const some = list ?? (size >= 0 ? fillerOf(size, item) : []);
    lists.push(some);
    total += some.length;
    if (offsets) offsets[i + 1] = total;
    else wide![i + 1] = BigInt(total);
  }
  const child = dataOf(arrow, joined(lists, total), (type.children[0] as { type: DataType }).type, item);
  return make(size >= 0 ? { child } : { valueOffsets: offsets ?? wide, child });
}

/** Values that nobody reads. */
function fillerOf(size: number, item: Feature): unknown[] {
  return new Array(size).fill(splitNullable(item).nullable ? null : 0);
}

/** Typed arrays of one kind stay one. */
function joined(lists: readonly ArrayLike<unknown>[], total: number): Column | readonly unknown[] {
  const [first] = lists.filter(({ length }) => length > 0);
  if (
    first &&
    ArrayBuffer.isView(first) &&
    lists.every((list) => list.length === 0 || list.constructor === first.constructor)
  ) {
    const values = new (first.constructor as new (length: number) => Int32Array)(total);
    let at = 0;
    for (const list of lists) {
      if (list.length > 0) values.set(list as Int32Array, at);
      at += list.length;
    }
    return values;
  }
  const values: unknown[] = [];
  for (const list of lists) for (let i = 0; i < list.length; i++) values.push(list[i]);
  return values;
}

function structChildren(arrow: ArrowEngine, column: ArrayLike<unknown>, type: DataType, struct: Struct): Data[] {
  return Object.entries(struct).map(([name, field], i) => {
    const values = Array.from(column, (one) => ((one as Record<string, unknown> | null)?.[name] ?? null) as unknown);
    return dataOf(arrow, values, (type.children[i] as { type: DataType }).type, field);
  });
}

function scalarData(column: ArrayLike<unknown>, parts: DTypeParts): object {
  const each = (value: (one: never) => number): ArrayLike<number> =>
    Array.from(column, (one) => (one === null || one === undefined ? 0 : value(one as never)));
  switch (parts.kind) {
    case "int":
      if (parts.bits === 64)
        return { data: parts.signed ? bigints(column) : new BigUint64Array(bigints(column).buffer) };
      return { data: intArrays[`${parts.signed ? "" : "u"}${parts.bits}`]!.from(each((one) => one)) };
    case "float":
      if (parts.bits === 16) return { data: Uint16Array.from(each((one) => float16Bits(one))) };
      if (ArrayBuffer.isView(column)) return { data: column };
      return {
        data: parts.bits === 32 ? Float32Array.from(each((one) => one)) : Float64Array.from(each((one) => one)),
      };
    case "bool":
      return { data: bits(column) };
    case "null":
      return {};
    case "string":
      return textData(column as ArrayLike<string | null>, parts.large);
    case "binary":
      return byteData(Array.from(column as ArrayLike<Uint8Array | null>), parts.large);
    case "decimal":
      return { data: decimals(column as ArrayLike<string | null>, parts) };
    case "date":
      if (parts.unit === "day")
        return { data: Int32Array.from(each((one: Date) => Math.floor(one.getTime() / 86_400_000))) };
      return { data: bigints(Array.from(column, (one) => (one === null ? null : (one as Date).getTime()))) };
    case "time":
      return {
        data: parts.unit === "s" || parts.unit === "ms" ? Int32Array.from(each((one) => one)) : bigints(column),
      };
    case "timestamp":
      return {
        data: BigInt64Array.from(
          Array.from(column, (one) =>
            one === null || one === undefined ? 0n : unitsOf(one as Date | bigint, parts.unit),
          ),
        ),
      };
    case "duration":
      return { data: bigints(column) };
  }
}

interface ArrayType {
  from(values: ArrayLike<number>): Int32Array | Int8Array | Int16Array | Uint8Array | Uint16Array | Uint32Array;
}
const intArrays: Readonly<Record<string, ArrayType>> = {
  8: Int8Array,
  16: Int16Array,
  32: Int32Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
};

function bigints(column: ArrayLike<unknown>): BigInt64Array {
  if (column instanceof BigInt64Array) return column;
  if (column instanceof BigUint64Array) return new BigInt64Array(column.buffer, column.byteOffset, column.length);
  return BigInt64Array.from(
    Array.from(column, (one) => (one === null || one === undefined ? 0n : BigInt(one as number))),
  );
}

function bits(column: ArrayLike<unknown>): Uint8Array {
  const packed = new Uint8Array(Math.ceil(column.length / 8));
  for (let i = 0; i < column.length; i++) if (column[i] === true) packed[i >> 3]! |= 1 << (i & 7);
  return packed;
}

const textData = (texts: ArrayLike<string | null>, large: boolean): object =>
  byteData(
    Array.from(texts, (text) => (text === null || text === undefined ? null : Buffer.from(text))),
    large,
  );

function byteData(values: readonly (Uint8Array | null)[], large: boolean): object {
  const offsets = new Int32Array(values.length + 1);
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    total += values[i]?.length ?? 0;
    offsets[i + 1] = total;
  }
  const data = Buffer.concat(values.filter((value) => value !== null));
  return {
    valueOffsets: large ? BigInt64Array.from(offsets, BigInt) : offsets,
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
  };
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
