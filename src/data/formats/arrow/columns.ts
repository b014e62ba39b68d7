import { isUtf8 } from "node:buffer";
import { parseJson } from "../../../base/exact-json.js";
import { type Column, type NumberArray, numberArrayOf, plainInteger } from "../../batch/batch.js";
import { doublesOf } from "../../batch/wide-integers.js";
import { type DTypeParts, dtypeParts } from "../../features/dtypes.js";
import { type Feature, isA, isList, type MapFeature, type Struct, splitNullable } from "../../features/feature.js";
import { decimalText, timestampOf } from "../../features/moments.js";
import { float16Number } from "../float16.js";
import { takerOf } from "../take-lists.js";
import { type ArrayData, numbersIn } from "./arrays.js";

type Values = ArrayLike<unknown>;

/** Some rows of an array. */
interface Part {
  readonly data: ArrayData;
  readonly from: number;
  readonly to: number;
}

/**
 * The values of some rows of a column, as `ValueOf` says. Numbers of up to 32 bits, floats, and lists of them are views of the
 * record batch; 64-bit integers are converted, all others made one by one.
 * @throws Error for text that is not UTF-8
 */
export const columnOf = (data: ArrayData, feature: Feature, from: number, to: number): Column =>
  valuesOf({ data, from, to }, feature) as Column;

function valuesOf(part: Part, feature: Feature): Values {
  const { core } = splitNullable(feature);
  const isValid = validity(part);
  const all = presentOrNot(part, core, isValid);
  if (!isValid) return all;
  return isWide(all)
    ? each(part, (_, i) => (isValid(i) ? plainInteger(all[i]!) : null))
    : each(part, (_, i) => (isValid(i) ? all[i] : null));
}

const isWide = (values: Values): values is BigInt64Array | BigUint64Array =>
  values instanceof BigInt64Array || values instanceof BigUint64Array;

/** @param make gets an index in the data, and one from 0 */
function each<T>({ from, to }: Part, make: (index: number, i: number) => T): T[] {
  const made: T[] = new Array(to - from);
  for (let i = 0; i < made.length; i++) made[i] = make(from + i, i);
  return made;
}

type IsValid = ((i: number) => boolean) | undefined;

/** Undefined where none is null. @returns by index from 0 */
function validity({ data: { validity: bits }, from, to }: Part): IsValid {
  if (!bits) return undefined;
  const isValid = (i: number): boolean => ((bits[(from + i) >> 3]! >> ((from + i) & 7)) & 1) === 1;
  for (let i = from; i < to; ) {
    if ((i & 7) === 0 && i + 8 <= to && bits[i >> 3] === 0xff) i += 8;
    else if (isValid(i - from)) i++;
    else return isValid;
  }
  return undefined;
}

/** With any value where there is none. */
function presentOrNot(part: Part, core: Feature, isValid: IsValid): Values {
  if (part.data.layout.dictionary) return dictionaryValues(part, core, isValid);
  if (isList(core)) return listsOf(part, core.feature, core);
  if (isA(core, "Map")) {
    const { key, value } = core as MapFeature;
    return listsOf(part, { key, value } as Struct, core);
  }
  if (isA(core, "ClassLabel")) return numbersOf(part, { kind: "int", bits: 64, signed: true });
  if (isA(core, "Json")) return textsOf(part, isValid).map((text) => (text === null ? null : parseJson(text)));
  return isA(core, "Value") ? scalarsOf(part, dtypeParts(core.dtype), isValid) : structsOf(part, core as Struct);
}

function dictionaryValues(part: Part, core: Feature, isValid: IsValid): Values {
  const { dictionary } = part.data;
  const indices = stored(part);
  const values = dictionary?.valuesAs(JSON.stringify(core), (data) =>
    valuesOf({ data, from: 0, to: data.length }, core),
  );
  const at = (i: number): number => {
    const index = Number(indices[i]);
    if (index >= 0 && index < (dictionary?.length ?? 0)) return index;
    throw new Error(`its dictionary has no value ${index}`);
  };
  if (ArrayBuffer.isView(values) && !isValid) {
    const taken = new (values.constructor as new (length: number) => NumberArray)(indices.length);
    for (let i = 0; i < taken.length; i++) taken[i] = (values as unknown as Int32Array)[at(i)]!;
    return taken;
  }
  return each(part, (_, i) => {
    if (isValid && !isValid(i)) return null;
    const value = values![at(i)];
    return isWide(values!) ? plainInteger(value as bigint) : value;
  });
}

/** The numbers of a fixed width as they are stored. */
function stored({ data: { values, layout }, from, to }: Part): NumberArray {
  const words = layout.width / layout.array.BYTES_PER_ELEMENT;
  return numbersIn(values, layout.array, (to - from) * words, from * words);
}

function scalarsOf(part: Part, parts: DTypeParts, isValid: IsValid): Values {
  switch (parts.kind) {
    case "int":
      return numbersOf(part, parts);
    case "float":
      return parts.bits === 16 ? Float32Array.from(stored(part) as Uint16Array, float16Number) : stored(part);
    case "bool": {
      const { values } = part.data;
      return each(part, (index) => ((values[index >> 3]! >> (index & 7)) & 1) === 1);
    }
    case "null":
      return each(part, () => null);
    case "string":
      return textsOf(part, isValid);
    case "binary": {
      const bytes = eachBytes(part.data);
      // Copied: a view would keep the whole record batch.
      return each(part, (index, i) => (isValid && !isValid(i) ? null : Buffer.from(bytes(index))));
    }
    case "decimal": {
      const words = stored(part) as Uint32Array;
      return each(part, (_, i) => decimalText(wideInteger(words, i, part.data.layout.width / 4), parts.scale));
    }
    case "date": {
      const days = stored(part);
      return each(part, (_, i) => new Date(parts.unit === "day" ? Number(days[i]) * 86_400_000 : Number(days[i])));
    }
    case "time":
      return Array.from(stored(part), Number);
    case "timestamp":
      return Array.from(stored(part) as BigInt64Array, (value) => timestampOf(value, parts.unit));
    case "duration":
      return integers(stored(part));
  }
}

function numbersOf(part: Part, parts: DTypeParts & { kind: "int" }): Values {
  const numbers = stored(part);
  // Labels may be stored in fewer bits.
  if (parts.bits === 64) return integers(numbers);
  const array = numberArrayOf(parts);
  return numbers instanceof (array as unknown as new () => Int32Array)
    ? numbers
    : array.from(Array.from(numbers as ArrayLike<number | bigint>, Number));
}

function integers(numbers: NumberArray): NumberArray {
  if (isWide(numbers)) return doublesOf(numbers) ?? numbers;
  return Float64Array.from(numbers as Int32Array);
}

function wideInteger(words: Uint32Array, index: number, count: number): bigint {
  let value = 0n;
  for (let i = count - 1; i >= 0; i--) value = (value << 32n) | BigInt(words[index * count + i]!);
  return BigInt.asIntN(32 * count, value);
}

function eachBytes({ layout: { kind, width }, values, offsets, pointed }: ArrayData): (index: number) => Buffer {
  if (kind === "bytes") return (index) => values.subarray(offsets[index]!, offsets[index + 1]!);
  if (kind === "fixed") return (index) => values.subarray(index * width, (index + 1) * width);
  return (index) => {
    const at = 16 * index;
    const length = values.readInt32LE(at);
    if (length >= 0 && length <= 12) return values.subarray(at + 4, at + 4 + length);
    const bytes = pointed[values.readInt32LE(at + 8)];
    const begin = values.readInt32LE(at + 12);
    if (!bytes || length < 0 || begin < 0 || begin + length > bytes.length)
      throw new Error("it has a view that points outside of its buffers");
    return bytes.subarray(begin, begin + length);
  };
}

function textsOf(part: Part, isValid: IsValid): (string | null)[] {
  const at = eachBytes(part.data);
  return each(part, (index, i) => {
    if (isValid && !isValid(i)) return null;
    const bytes = at(index);
    const text = bytes.toString("utf8");
    if (text.includes("\ufffd") && !isUtf8(bytes))
      throw new Error(`text that is not valid UTF-8: ${JSON.stringify(text.slice(0, 60))}`);
    return text;
  });
}

function listsOf(part: Part, item: Feature, core: Feature): unknown[] {
  const { data, from, to } = part;
  const { layout, offsets } = data;
  const child = data.children[0]!;
  const border = layout.kind === "list" ? (index: number) => offsets[index]! : (index: number) => index * layout.width;
  const begin = border(from);
  const inside = { data: child, from: begin, to: border(to) };
  const items = isA(core, "Map") ? structsOf(inside, item as Struct, child.children) : valuesOf(inside, item);
  const take = takerOf(items, core);
  return each(part, (index) => take(border(index) - begin, border(index + 1) - begin));
}

/** @param fields in the order of the struct's names. @defaultValue those of its names */
function structsOf(part: Part, struct: Struct, fields?: readonly ArrayData[]): unknown[] {
  const { from, to, data } = part;
  const names = Object.keys(struct);
  const columns = names.map((name, i) =>
    valuesOf({ data: fields ? fields[i]! : data.children[data.layout.names.indexOf(name)]!, from, to }, struct[name]!),
  );
  const areWide = columns.map(isWide);
  return each(part, (_, row) => {
    const one: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++) {
      const value = columns[i]![row];
      one[names[i]!] = areWide[i] ? plainInteger(value as bigint) : value;
    }
    return one;
  });
}
