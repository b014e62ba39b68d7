import { own } from "../../base/own.js";
import { type DType, dtypeOf, dtypeParts } from "./dtypes.js";
import {
  ClassLabel,
  type Feature,
  featureText,
  isA,
  isList,
  isStruct,
  type List,
  type Struct,
  splitNullable,
  Value,
} from "./feature.js";

/** Values that no feature holds. */
export class NoFeature extends Error {
  /** Of the field below the column: `meta.url`, `tags[]`. */
  readonly path: string;

  constructor(path: string, what: string) {
    super(`column ${path} ${what}`);
    this.name = "NoFeature";
    this.path = path;
  }
}

/** Two features of one column that no feature holds. */
export class FeatureConflict extends NoFeature {
  readonly left: Feature;
  readonly right: Feature;

  constructor(path: string, left: Feature, right: Feature) {
    const types = [left, right].map(featureText);
    const isWide = types.includes("uint64") && types.some((type) => /^int\d/.test(type));
    super(
      path,
      `is ${types.join(" and ")}${isWide ? ", and no type has both negative integers and those from 2^63 on" : ""}`,
    );
    this.name = "FeatureConflict";
    this.left = left;
    this.right = right;
  }
}

/**
 * The narrowest features that hold the rows of both, in the order of the first: integers and floats are widened, a column that one
 * of them lacks may be null.
 * @throws FeatureConflict
 */
export function unifyFeatures(left: Struct, right: Struct, path = ""): Struct {
  const united: Record<string, Feature> = {};
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const [a, b] = [own(left, name), own(right, name)];
    const at = path === "" ? name : `${path}.${name}`;
    united[name] = a && b ? unify(a, b, at) : orNull((a ?? b)!);
  }
  return united;
}

/** The elements of lists that were all empty: known by being this very object. They become what others show. */
export const unseen: Feature = Value("null");

/** Integers of which none is negative, in the same way: with larger ones they are uint64. */
export const natural: Feature = Value("int64");

/** As `Nullable`, which makes a new object of the feature. */
const orNull = (feature: Feature): Feature => (isA(feature, "Nullable") ? feature : { feature, _type: "Nullable" });

export function unify(left: Feature, right: Feature, path: string): Feature {
  if (left === unseen) return right;
  if (right === unseen) return left;
  const [a, b] = [splitNullable(left), splitNullable(right)];
  if (isNull(a.core)) return orNull(right);
  if (isNull(b.core)) return orNull(left);
  const core = unifyCores(a.core, b.core, path);
  return a.nullable || b.nullable ? orNull(core) : core;
}

const isNull = (feature: Feature): boolean => isA(feature, "Value") && feature.dtype === "null";

function unifyCores(left: Feature, right: Feature, path: string): Feature {
  if (left === right) return left;
  if (isA(left, "Value") && isA(right, "Value")) {
    if (left === natural && right.dtype === "uint64") return right;
    if (right === natural && left.dtype === "uint64") return left;
    const dtype = unifyDtypes(left.dtype, right.dtype);
    if (dtype !== undefined) return Value(dtype);
  }
  if (isList(left) && isList(right)) return unifyLists(left, right, path);
  if (isA(left, "Json") && isA(right, "Json")) return left;
  if (isA(left, "ClassLabel") && isA(right, "ClassLabel")) {
    const [short, long] = left.names.length < right.names.length ? [left, right] : [right, left];
    if (short.names.every((name, i) => name === long.names[i])) return ClassLabel(long.names);
  }
  if (isA(left, "Map") && isA(right, "Map"))
    return {
      key: unify(left.key, right.key, `${path}.key`),
      value: unify(left.value, right.value, `${path}.value`),
      _type: "Map",
    };
  if (isStruct(left) && isStruct(right)) return unifyFeatures(left, right, path);
  throw new FeatureConflict(path, left, right);
}

function unifyLists(left: List, right: List, path: string): List {
  return {
    feature: unify(left.feature, right.feature, `${path}[]`),
    length: left.length === right.length ? left.length : -1,
    _type: left._type === "LargeList" ? "LargeList" : right._type,
  };
}

const SIZES = [8, 16, 32, 64] as const;

/** Undefined where no dtype holds the values of both exactly; int64 with a float is float64, as everywhere. */
function unifyDtypes(left: DType, right: DType): DType | undefined {
  if (left === right) return left;
  const [a, b] = [dtypeParts(left), dtypeParts(right)];
  if (a.kind === "int" && b.kind === "int") {
    if (a.signed === b.signed) return a.bits > b.bits ? left : right;
    const [signed, unsigned] = a.signed ? [a, b] : [b, a];
    const bits = SIZES.find((size) => size >= signed.bits && size > unsigned.bits);
    return bits && dtypeOf({ kind: "int", bits, signed: true });
  }
  if (a.kind === "float" && b.kind === "float") return a.bits > b.bits ? left : right;
  if (a.kind === "int" && b.kind === "float") return floatHolding(a.bits, b.bits);
  if (a.kind === "float" && b.kind === "int") return floatHolding(b.bits, a.bits);
  if ((a.kind === "string" || a.kind === "binary") && a.kind === b.kind) return dtypeOf({ kind: a.kind, large: true });
  if (a.kind === "date" && b.kind === "date") return "date64";
  return undefined;
}

/** float16 holds integers of 11 bits, float32 of 24. */
function floatHolding(intBits: number, floatBits: 16 | 32 | 64): DType {
  if (intBits <= 8) return `float${floatBits}`;
  return intBits <= 16 ? `float${Math.max(32, floatBits) as 32 | 64}` : "float64";
}
