import { didYouMean } from "../../base/nearest.js";
import { own } from "../../base/own.js";
import { compactNumbers, listOfNumbers, numberArrayOf, plainInteger, type Row } from "../batch/batch.js";
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

/** A value that its feature does not allow. */
export class BadValue extends Error {
  /** `meta.url`, `tags[]`. */
  readonly path: string;

  constructor(path: string, message: string) {
    super(`column ${path}: ${message}`);
    this.name = "BadValue";
    this.path = path;
  }
}

type Check = (value: unknown, path: string) => unknown;

/**
 * Turns what a user gives for a row into what `ValueOf` says that rows hold: names of labels become numbers, lists of numbers typed
 * arrays, text in ISO 8601 a date. A field that is missing or undefined is null. The row itself is not changed.
 * @throws BadValue for a value out of range, of another type, or null where the feature is not `Nullable`; for an unknown column
 */
export function createRowCheck(features: Features): (row: Row) => Row {
  const names = Object.keys(features);
  const checks = names.map((name) => checkOf(features[name]!));
  return (row) => {
    if (typeof row !== "object" || row === null || Array.isArray(row))
      throw new BadValue("(row)", `${describe(row)} is not a row`);
    const checked: Row = {};
    for (let i = 0; i < names.length; i++) checked[names[i]!] = checks[i]!(own(row, names[i]!), names[i]!);
    for (const name in row)
      if (row[name] !== undefined && !Object.hasOwn(features, name)) throw unknownColumn(name, names);
    return checked;
  };
}

function unknownColumn(name: string, names: readonly string[]): BadValue {
  return new BadValue(
    name,
    `the features have no such column.${didYouMean(name, names)} They have: ${names.join(", ")}`,
  );
}

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
      return (value, path) => {
        if (typeof value === "number") return value;
        if (typeof value === "bigint") return Number(value);
        throw wrong(path, value, dtype);
      };
    case "bool":
    case "string": {
      const type = parts.kind === "bool" ? "boolean" : "string";
      return (value, path) => {
        if (typeof value === type) return value;
        throw wrong(path, value, dtype);
      };
    }
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

function intCheck(parts: DTypeParts & { kind: "int" }, dtype: DType): Check {
  const min = parts.signed ? -(2n ** BigInt(parts.bits - 1)) : 0n;
  const max = 2n ** BigInt(parts.signed ? parts.bits - 1 : parts.bits) - 1n;
  const [least, most] = [
    Math.max(Number(min), Number.MIN_SAFE_INTEGER),
    Math.min(Number(max), Number.MAX_SAFE_INTEGER),
  ];
  return (value, path) => {
    if (typeof value === "number" && Number.isInteger(value)) {
      if (value >= least && value <= most) return value;
      const exact = parts.bits === 64 ? " (beyond 2^53 a bigint is exact, a number is not)" : "";
      throw new BadValue(path, `${value} is out of the range of ${dtype}${exact}`);
    }
    if (typeof value === "bigint") {
      if (value >= min && value <= max) return plainInteger(value);
      throw new BadValue(path, `${value} is out of the range of ${dtype}`);
    }
    throw wrong(path, value, dtype);
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
  const type = numbers && !(numbers.kind === "int" && numbers.bits === 64) ? numberArrayOf(numbers) : undefined;
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
  const names = Object.keys(struct);
  const checks = names.map((name) => checkOf(struct[name]!));
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
      throw wrong(path, value, featureText(struct));
    const given = value as Readonly<Record<string, unknown>>;
    const checked: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++)
      checked[names[i]!] = checks[i]!(own(given, names[i]!), `${path}.${names[i]!}`);
    for (const name in given) {
      if (given[name] === undefined || Object.hasOwn(struct, name)) continue;
      throw new BadValue(`${path}.${name}`, `the features have no such field.${didYouMean(name, names)}`);
    }
    return checked;
  };
}

const wrong = (path: string, value: unknown, wanted: string): BadValue =>
  new BadValue(path, `${describe(value)} is not ${wanted}`);

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (value === undefined || value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return "an array";
  return ArrayBuffer.isView(value) || value instanceof Date ? `a ${value.constructor.name}` : "an object";
}
