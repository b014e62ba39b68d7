import type { Row } from "../batch/batch.js";
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
import { FeatureConflict, unify, unifyFeatures, unseen } from "./unify.js";

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
   * @throws FeatureConflict, with both places in its message
   */
  add(row: Row, where: () => string): void {
    const own: Record<string, Feature> = {};
    for (const [name, value] of Object.entries(row)) own[name] = featureOfValue(value);
    if (this.#features === undefined) this.#features = own;
    else if (!holds(this.#features, own)) this.#widen(own, where);
    for (const name in own) if (!this.#seen.has(name) && !isNull(own[name]!)) this.#seen.set(name, where());
  }

  #widen(own: Features, where: () => string): void {
    for (;;) {
      try {
        this.#features = unifyFeatures(this.#features!, own);
        return;
      } catch (error) {
        if (!(error instanceof FeatureConflict)) throw error;
        const column = error.path.split(/[.[]/, 1)[0]!;
        const name =
          Object.keys(own).find(
            (one) => error.path === one || error.path.startsWith(`${one}.`) || error.path.startsWith(`${one}[`),
          ) ?? column;
        if (this.#mixed === "fail") {
          error.message += `: first at ${this.#seen.get(name) ?? "an earlier row"}, then at ${where()}`;
          throw error;
        }
        const any = this.#mixed === "json" ? Json() : scalars.string;
        this.#features = { ...this.#features!, [name]: Nullable(any) };
        own = { ...own, [name]: any };
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
function holds(known: Features, own: Features): boolean {
  for (const name in own) {
    const [a, b] = [known[name], own[name]!];
    if (a === undefined) return false;
    const { core } = splitNullable(a);
    if (!isA(core, "Value") || !isA(b, "Value") || core.dtype !== b.dtype) return false;
  }
  for (const name in known) if (!Object.hasOwn(own, name) && !isA(known[name]!, "Nullable")) return false;
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

function featureOfValue(value: unknown): Feature {
  switch (typeof value) {
    case "string":
      return scalars.string;
    case "boolean":
      return scalars.bool;
    case "number":
      return Number.isInteger(value) && !Object.is(value, -0) ? scalars.int64 : scalars.float64;
    case "bigint":
      return value >= 2n ** 63n ? scalars.uint64 : scalars.int64;
    case "object":
      return value === null ? scalars.null : featureOfObject(value);
    default:
      return scalars.null;
  }
}

function featureOfObject(value: object): Feature {
  // Not `List()`, which makes a new object of its feature.
  if (Array.isArray(value)) return { feature: elementFeature(value), length: -1, _type: "List" };
  for (const [type, feature] of arrays) if (value instanceof type) return feature;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, featureOfValue(field)])) as Struct;
}

function elementFeature(list: readonly unknown[]): Feature {
  let element = unseen;
  for (const one of list) {
    const own = featureOfValue(one);
    if (own !== element) element = unify(element, own, "[]");
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
