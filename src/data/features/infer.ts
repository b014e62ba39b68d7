import { MAX_JSON_DEPTH } from "../../base/exact-json.js";
import { own } from "../../base/own.js";
import type { Row } from "../batch/batch.js";
import { exactNumber } from "./check-numbers.js";
import {
  type Feature,
  type Features,
  isA,
  Json,
  List,
  Nullable,
  type Struct,
  splitNullable,
  Value,
} from "./feature.js";
import { objectFlaw, objectName } from "./plain-data.js";
import { nameFlaw } from "./text-flaws.js";
import { NoFeature, natural, unify, unifyFeatures, unseen } from "./unify.js";

/**
 * Finds the features of rows without a schema. Every inferred feature is `Nullable`: rows that were not looked at may lack it. An
 * integer and a float make float64; null and anything make that thing; fields that some rows lack are kept.
 */
export class FeatureInference {
  #features: Features | undefined;
  readonly #mixed: "fail" | "json" | "string";
  /** Where each column was first seen as something that is not null. */
  readonly #seen = new Map<string, string>();

  /** @param options `mixed`: what becomes of a column with values of several kinds: an error, `Json`, or text */
  constructor({ mixed = "fail" }: { readonly mixed?: "fail" | "json" | "string" } = {}) {
    this.#mixed = mixed;
  }

  /**
   * @param where names the row, for errors
   * @throws NoFeature, with both places in its message, or the one where a value contradicts itself
   */
  add(row: Row, where: () => string): void {
    const found: Record<string, Feature> = {};
    for (const name of Object.keys(row)) {
      const flaw = nameFlaw(name);
      if (flaw !== undefined) throw new NoFeature(name, `is at ${where()}, and ${flaw}`);
      found[name] = this.#featureOf(row[name], name, where);
    }
    if (this.#features === undefined) this.#features = found;
    else if (!holds(this.#features, found)) this.#widen(found, where);
    for (const name in found) if (!this.#seen.has(name) && !isNull(found[name]!)) this.#seen.set(name, where());
  }

  #featureOf(value: unknown, name: string, where: () => string): Feature {
    try {
      return featureOfValue(value, name, 0);
    } catch (error) {
      if (!(error instanceof NoFeature)) throw error;
      return this.#anyOrThrow(error, `at ${where()}`);
    }
  }

  /** What holds any value, where such columns are wanted. */
  #anyOrThrow(error: NoFeature, where: string): Feature {
    if (this.#mixed !== "fail") return this.#mixed === "json" ? Json() : scalars.string;
    error.message += `: ${where}`;
    throw error;
  }

  #widen(found: Features, where: () => string): void {
    for (;;) {
      try {
        this.#features = unifyFeatures(this.#features!, found);
        return;
      } catch (error) {
        if (!(error instanceof NoFeature)) throw error;
        const column = error.path.split(/[.[]/, 1)[0]!;
        const name =
          Object.keys(found).find(
            (one) => error.path === one || error.path.startsWith(`${one}.`) || error.path.startsWith(`${one}[`),
          ) ?? column;
        const first = this.#seen.get(name) ?? "an earlier row";
        const any = this.#anyOrThrow(error, `first at ${first}, then at ${where()}`);
        this.#features = { ...this.#features!, [name]: Nullable(any) };
        found = { ...found, [name]: any };
      }
    }
  }

  /** Undefined before the first row. */
  get features(): Features | undefined {
    return (
      this.#features &&
      Object.fromEntries(Object.entries(this.#features).map(([name, one]) => [name, nullableAll(one)]))
    );
  }
}

const isNull = (feature: Feature): boolean => isA(feature, "Value") && feature.dtype === "null";

/** A quick look: most rows are like those before. */
function holds(known: Features, found: Features): boolean {
  for (const name in found) {
    const [a, b] = [own(known, name), found[name]!];
    if (a === undefined) return false;
    const { core } = splitNullable(a);
    if (!isA(core, "Value") || !isA(b, "Value") || core.dtype !== b.dtype) return false;
    if (core === natural && b !== natural) return false;
  }
  for (const name in known) if (!Object.hasOwn(found, name) && !isA(known[name]!, "Nullable")) return false;
  return true;
}

const scalars = {
  null: Value("null"),
  bool: Value("bool"),
  string: Value("string"),
  int64: Value("int64"),
  uint64: Value("uint64"),
  float64: Value("float64"),
  binary: Value("binary"),
  timestamp: Value("timestamp[ms]"),
} as const;

const arrays: readonly (readonly [new () => object, Feature])[] = [
  [Int8Array, List("int8")],
  [Int16Array, List("int16")],
  [Int32Array, List("int32")],
  [Uint16Array, List("uint16")],
  [Uint32Array, List("uint32")],
  [Float32Array, List("float32")],
  [Float64Array, List("float64")],
  [BigInt64Array, List("int64")],
  [BigUint64Array, List("uint64")],
  [Uint8Array, scalars.binary],
  [Date, scalars.timestamp],
];

/** @throws NoFeature for lists whose elements contradict each other, and values that are nested too deeply */
function featureOfValue(value: unknown, path: string, depth: number): Feature {
  switch (typeof value) {
    case "string":
      return scalars.string;
    case "boolean":
      return scalars.bool;
    case "number":
      // Integers beyond 2^53 are bigints.
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) return scalars.float64;
      return value < 0 ? scalars.int64 : natural;
    case "bigint":
      return featureOfInteger(value, path);
    case "object":
      return value === null ? scalars.null : featureOfObject(value, path, depth);
    default:
      return scalars.null;
  }
}

function featureOfInteger(value: bigint, path: string): Feature {
  if (BigInt.asIntN(64, value) === value) return value < 0n ? scalars.int64 : natural;
  if (BigInt.asUintN(64, value) === value) return scalars.uint64;
  // As JavaScript writes 1e20.
  if (exactNumber(value) !== undefined) return scalars.float64;
  throw new NoFeature(path, `has an integer beyond 64 bits, ${String(value).slice(0, 40)}`);
}

function featureOfObject(value: object, path: string, depth: number): Feature {
  if (depth === MAX_JSON_DEPTH)
    throw new NoFeature(path.split(/[.[]/, 1)[0]!, `is nested deeper than ${MAX_JSON_DEPTH} levels`);
  // Not `List()`, which makes a new object of its feature.
  if (Array.isArray(value))
    return { feature: elementFeature(value, `${path}[]`, depth + 1), length: -1, _type: "List" };
  for (const [type, feature] of arrays) if (value instanceof type) return feature;
  if (typeof (value as { toJSON?: unknown }).toJSON === "function")
    throw new NoFeature(path, `is ${objectName(value)} with toJSON: give what that makes of it`);
  const flaw = objectFlaw(value);
  if (flaw !== undefined) throw new NoFeature(path, `is ${flaw}`);
  const struct: Record<string, Feature> = {};
  for (const [name, field] of Object.entries(value)) {
    const flaw = nameFlaw(name);
    if (flaw !== undefined) throw new NoFeature(`${path}.${name}`, `is not a name that a field can have: ${flaw}`);
    struct[name] = featureOfValue(field, `${path}.${name}`, depth + 1);
  }
  return struct;
}

function elementFeature(list: readonly unknown[], path: string, depth: number): Feature {
  let element = unseen;
  for (const one of list) {
    const found = featureOfValue(one, path, depth);
    if (found !== element) element = unify(element, found, path);
  }
  return element;
}

/** Inside lists elements are nullable only where a null was seen: lists of numbers are then typed arrays. */
function nullableAll(feature: Feature, inList = false): Feature {
  const { core, nullable } = splitNullable(feature);
  const inner = isA(core, "List")
    ? { ...core, feature: nullableAll(core.feature, true) }
    : typeof (core as { _type?: unknown })._type === "string"
      ? core
      : (Object.fromEntries(
          Object.entries(core as Struct).map(([name, field]) => [name, nullableAll(field)]),
        ) as Struct);
  return inList && !nullable ? inner : Nullable(inner);
}
