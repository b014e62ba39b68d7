import { didYouMean } from "../../base/nearest.js";
import { own } from "../../base/own.js";
import { compactNumbers, listOfNumbers, type NumberParts, numberArrayOf, type Row } from "../batch/batch.js";
import { asBadValue, BadValue, type Check, describe, wrong } from "./bad-value.js";
import { floatCheck, intCheck } from "./check-numbers.js";
import { type DType, type DTypeParts, dtypeParts } from "./dtypes.js";
import {
  type ClassLabel,
  type Feature,
  type Features,
  featureText,
  isA,
  isList,
  type List,
  type MapFeature,
  type Struct,
  splitNullable,
} from "./feature.js";
import { assertJson } from "./json-text.js";
import { toDate, toDecimal, toDuration, toTimeOfDay, toTimestamp } from "./moments.js";
import { NotText } from "./not-text.js";
import { objectFlaw, rowFlaw } from "./plain-data.js";
import { loneSurrogate } from "./text-flaws.js";

export { BadValue };

/**
 * Turns what a user gives for a row into what `ValueOf` says that rows hold: names of labels become numbers, lists of numbers typed
 * arrays, text in ISO 8601 a date. A field that is missing or undefined is null. The row itself is not changed.
 * @throws BadValue for a value out of range, of another type, or null where the feature is not `Nullable`; for an unknown column
 */
export function createRowCheck(features: Features): (row: Row) => Row {
  const check = fieldsCheck(features, "column");
  return (row) => {
    const flaw = rowFlaw(row);
    if (flaw !== undefined) throw new BadValue("(row)", `${flaw} is not a row`);
    return check(row, "");
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** The fields of a row or a struct; what goes wrong with one of them is a BadValue. */
function fieldsCheck(struct: Struct, noun: "column" | "field"): (given: Fields, prefix: string) => Row {
  const names = Object.keys(struct);
  const checks = names.map((name) => checkOf(struct[name]!));
  const unknown = (name: string, prefix: string): BadValue => {
    const has = noun === "column" ? ` They have: ${names.join(", ")}` : "";
    return new BadValue(prefix + name, `the features have no such ${noun}.${didYouMean(name, names)}${has}`);
  };
  return (given, prefix) => {
    const checked: Row = {};
    let name = "";
    try {
      for (let i = 0; i < names.length; i++) {
        name = names[i]!;
        checked[name] = checks[i]!(own(given, name), prefix + name);
      }
      for (name in given)
        if (given[name] !== undefined && !Object.hasOwn(struct, name) && Object.hasOwn(given, name))
          throw unknown(name, prefix);
      return checked;
    } catch (error) {
      const bad = asBadValue(error, prefix + name);
      // Of a misspelt name the wrong one says more than the one that is missing.
      const other = bad.path === prefix + name && !Object.hasOwn(given, name) ? otherName(given, struct) : undefined;
      throw other === undefined ? bad : unknown(other, prefix);
    }
  };
}

/** A field that the features do not have; no getter is called. */
const otherName = (given: Fields, struct: Struct): string | undefined =>
  Object.entries(Object.getOwnPropertyDescriptors(given)).find(
    ([name, { enumerable, value }]) => enumerable && value !== undefined && !Object.hasOwn(struct, name),
  )?.[0];

export function checkOf(feature: Feature): Check {
  const { core, nullable } = splitNullable(feature);
  const check = coreCheck(core);
  if (isA(core, "Value") && core.dtype === "null") return check;
  if (nullable) return (value, path) => (value === null || value === undefined ? null : check(value, path));
  return (value, path) => {
    if (value === null || value === undefined)
      throw new BadValue(path, `null, and ${featureText(feature)} is not Nullable`);
    return check(value, path);
  };
}

function coreCheck(core: Feature): Check {
  if (isA(core, "Value")) return valueCheck(core.dtype);
  if (isList(core)) return listCheck(core);
  if (isA(core, "ClassLabel")) return labelCheck(core);
  if (isA(core, "Json")) return jsonCheck;
  if (isA(core, "Map")) return mapCheck(core);
  return structCheck(core as Struct);
}

function valueCheck(dtype: DType): Check {
  const parts = dtypeParts(dtype);
  switch (parts.kind) {
    case "int":
      return intCheck(parts, dtype);
    case "float":
      return floatCheck(parts, dtype);
    case "bool":
      return (value, path) => {
        if (typeof value === "boolean") return value;
        throw wrong(path, value, dtype);
      };
    case "string":
      return (value, path) => {
        if (typeof value !== "string") throw wrong(path, value, dtype);
        if (value.isWellFormed()) return value;
        throw new BadValue(path, loneSurrogate(value));
      };
    case "null":
      return (value, path) => {
        if (value === null || value === undefined) return null;
        throw new BadValue(
          path,
          `${describe(value)}, where all values are to be null. Say the column's type in the features`,
        );
      };
    case "binary":
      return (value, path) => {
        if (value instanceof Uint8Array) return value;
        if (typeof value === "string" && BASE64.test(value) && value.length % 4 === 0)
          return Buffer.from(value, "base64");
        throw wrong(path, value, "bytes (a Uint8Array, or base64)");
      };
    default:
      return momentCheck(parts, dtype);
  }
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function momentCheck(parts: DTypeParts, dtype: DType): Check {
  const convert = (value: unknown): unknown => {
    switch (parts.kind) {
      case "date":
        return toDate(value, parts.unit);
      case "timestamp":
        return toTimestamp(value, parts.unit);
      case "time":
        return toTimeOfDay(value, parts.unit);
      case "duration":
        return toDuration(value);
      case "decimal":
        return toDecimal(value, parts);
      default:
        return undefined;
    }
  };
  return (value, path) => {
    const converted = convert(value);
    if (converted === undefined) throw wrong(path, value, dtype);
    return converted;
  };
}

function labelCheck({ names }: ClassLabel): Check {
  const ids = new Map(names.map((name, id) => [name, id]));
  return (value, path) => {
    // -1 is Hugging Face's "no label".
    if (typeof value === "number" && Number.isInteger(value) && value >= -1 && value < names.length) return value;
    const id = typeof value === "string" ? ids.get(value) : undefined;
    if (id !== undefined) return id;
    const near = typeof value === "string" ? didYouMean(value, names) : "";
    throw new BadValue(path, `${describe(value)} is none of the ${names.length} labels.${near}`);
  };
}

const jsonCheck: Check = (value, path) => {
  try {
    assertJson(value, path);
    return value;
  } catch (error) {
    if (error instanceof NotText) throw new BadValue(path, error.what);
    throw error;
  }
};

function listCheck(list: List): Check {
  const { feature, length } = list;
  const check = checkOf(feature);
  const numbers = listOfNumbers(list);
  // Of the very type: its values are in range.
  const type = numbers && hasOwnArray(numbers) ? numberArrayOf(numbers) : undefined;
  return (value, path) => {
    if (!isListLike(value)) throw wrong(path, value, "a list");
    if (length >= 0 && value.length !== length)
      throw new BadValue(path, `a list of ${value.length}, where all have ${length}`);
    if (type && value instanceof (type as unknown as new () => object)) return value;
    const checked: unknown[] = new Array(value.length);
    for (let i = 0; i < checked.length; i++) checked[i] = check(value[i], `${path}[]`);
    return numbers ? compactNumbers(checked, numbers) : checked;
  };
}

/** Whether a typed array has no values but those of the dtype: int64 is kept as floats, and float16 as float32. */
const hasOwnArray = ({ kind, bits }: NumberParts): boolean => (kind === "int" ? bits < 64 : bits > 16);

const isListLike = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

function mapCheck({ key, value }: MapFeature): Check {
  const [checkKey, checkValue] = [checkOf(key), checkOf(value)];
  return (given, path) => {
    if (given instanceof Map) given = Array.from(given, ([key, value]) => ({ key, value }));
    if (!Array.isArray(given)) throw wrong(path, given, "a list of { key, value }");
    return given.map((entry: { key: unknown; value: unknown }) => {
      if (typeof entry !== "object" || entry === null) throw wrong(path, entry, "{ key, value }");
      return { key: checkKey(entry.key, `${path}.key`), value: checkValue(entry.value, `${path}.value`) };
    });
  };
}

function structCheck(struct: Struct): Check {
  const check = fieldsCheck(struct, "field");
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
      throw wrong(path, value, featureText(struct));
    const flaw = objectFlaw(value);
    if (flaw !== undefined) throw wrong(path, value, featureText(struct));
    return check(value as Fields, `${path}.`);
  };
}
