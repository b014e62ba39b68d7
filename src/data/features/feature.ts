import type { DType, NumberType } from "./dtypes.js";
import { dtypeNamed, dtypeParts } from "./dtypes.js";
import { nameFlaw } from "./text-flaws.js";

/**
 * The typed schema of records, in the JSON form of Hugging Face's `Features`:
 *
 *     { text: Value("string"), label: ClassLabel(["neg", "pos"]), ids: List("int32"), meta: { url: Nullable("string") } }
 *
 * A plain object is a struct; `features()` also takes the name of a dtype for a value, "json", and `[feature]` for a list. Only
 * `Nullable`, `Map` and `large` lists go beyond Hugging Face: there every value may be null.
 */
export interface Value<D extends string = DType> {
  readonly _type: "Value";
  readonly dtype: D;
}

/** A list; `length` is -1 where it may have any. `LargeList` has 64-bit offsets in Arrow. */
export interface List<F = Feature, N extends number = number> {
  readonly _type: "List" | "LargeList";
  readonly feature: F;
  readonly length: N;
}

/** An integer that is an index of a name. */
export interface ClassLabel<N extends string = string> {
  readonly _type: "ClassLabel";
  readonly names: readonly N[];
}

/** Any JSON value; kept as text in Parquet and Arrow. */
export interface JsonFeature {
  readonly _type: "Json";
}

/** The feature, or null. A feature without it refuses null. */
export interface Nullable<F = Feature> {
  readonly _type: "Nullable";
  readonly feature: F;
}

/** Arrow's and Parquet's map. A row has an array of `{ key, value }`. */
export interface MapFeature<K = Feature, V = Feature> {
  readonly _type: "Map";
  readonly key: K;
  readonly value: V;
}

export interface Struct {
  readonly [field: string]: Feature;
}

export type Feature = Value | List | ClassLabel | JsonFeature | Nullable | MapFeature | Struct;

/** The features of a dataset: column → feature. */
export type Features = Struct;

/** What may be written for a feature. */
export type FeatureLike = DType | "json" | Feature | readonly [FeatureLike] | { readonly [field: string]: FeatureLike };

export type FeaturesLike = { readonly [column: string]: FeatureLike };

/** The feature that is meant by what was written. */
export type FeatureOf<W> = W extends DType
  ? Value<W>
  : W extends "json"
    ? JsonFeature
    : W extends Value | ClassLabel | JsonFeature
      ? W
      : W extends List<infer F, infer N>
        ? List<FeatureOf<F>, N>
        : W extends Nullable<infer F>
          ? Nullable<FeatureOf<F>>
          : W extends MapFeature<infer K, infer V>
            ? MapFeature<FeatureOf<K>, FeatureOf<V>>
            : W extends readonly [infer F]
              ? List<FeatureOf<F>, -1>
              : { readonly [K in keyof W]: FeatureOf<W[K]> };

/** Typed arrays that hold the numbers of a column, or of a list in a row. */
interface NumberArrays {
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  float16: Float32Array;
  float32: Float32Array;
  float64: Float64Array;
  int64: Float64Array | BigInt64Array;
  uint64: Float64Array | BigUint64Array;
}

type ScalarOf<D> = D extends "string" | "large_string"
  ? string
  : D extends "bool"
    ? boolean
    : D extends "binary" | "large_binary"
      ? Uint8Array
      : D extends "int64" | "uint64" | `duration[${string}]`
        ? number | bigint
        : D extends NumberType | `time${32 | 64}[${string}]`
          ? number
          : D extends `decimal${string}`
            ? string
            : D extends `date${32 | 64}`
              ? Date
              : D extends "null"
                ? null
                : D extends `timestamp[${string}]`
                  ? Date | bigint
                  : never;

/**
 * What a row holds. Integers beyond 2^53 are `bigint`; a decimal is text ("12.50"); dates are midnight in UTC; a timestamp is a
 * `Date`, or a `bigint` of its unit where that has digits below a millisecond; a time of day and a duration count their unit.
 */
export type ValueOf<F> =
  F extends Nullable<infer G>
    ? ValueOf<G> | null
    : F extends Value<infer D>
      ? ScalarOf<D>
      : F extends ClassLabel
        ? number
        : F extends List<Value<infer D extends keyof NumberArrays>, number>
          ? NumberArrays[D]
          : F extends List<Nullable<Value<infer D extends keyof NumberArrays>>, number>
            ? NumberArrays[D] | readonly (ScalarOf<D> | null)[]
            : F extends List<infer G, number>
              ? readonly ValueOf<G>[]
              : F extends JsonFeature
                ? unknown
                : F extends MapFeature<infer K, infer V>
                  ? readonly { readonly key: ValueOf<K>; readonly value: ValueOf<V> }[]
                  : { readonly [K in keyof F]: ValueOf<F[K]> };

/** A value of a dtype: `Value("int32")`. @throws RangeError for a text that names no dtype */
export function Value<const D extends DType>(dtype: D): Value<D> {
  const named = dtypeNamed(dtype);
  if (named === undefined) dtypeParts(dtype);
  return { dtype: named as D, _type: "Value" };
}

/** A list. @param options `length`: every list has that many; `large`: with 64-bit offsets in Arrow */
export function List<const F extends FeatureLike, const N extends number = -1>(
  feature: F,
  options: { readonly length?: N; readonly large?: boolean } = {},
): List<FeatureOf<F>, N> {
  const { length = -1 as N, large = false } = options;
  return { feature: toFeature(feature) as FeatureOf<F>, length, _type: large ? "LargeList" : "List" };
}

/** An integer that is an index of one of the names. */
export function ClassLabel<const N extends string>(names: readonly N[]): ClassLabel<N> {
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) throw new RangeError(`ClassLabel has the name "${repeated}" twice`);
  return { names: [...names], _type: "ClassLabel" };
}

/** Any JSON value. */
export function Json(): JsonFeature {
  return { _type: "Json" };
}

/** The feature, or null. */
export function Nullable<const F extends FeatureLike>(feature: F): Nullable<FeatureOf<F>> {
  const inner = toFeature(feature);
  return (isA(inner, "Nullable") ? inner : { feature: inner, _type: "Nullable" }) as Nullable<FeatureOf<F>>;
}

/** A map: rows have arrays of `{ key, value }`. Not `Map`, which JavaScript has already. */
export function MapOf<const K extends FeatureLike, const V extends FeatureLike>(
  key: K,
  value: V,
): MapFeature<FeatureOf<K>, FeatureOf<V>> {
  return { key: toFeature(key) as FeatureOf<K>, value: toFeature(value) as FeatureOf<V>, _type: "Map" };
}

/** The features that are meant: names of dtypes become values, `[f]` lists. @throws RangeError */
export function features<const W extends FeaturesLike>(written: W): FeatureOf<W> & Features {
  return toStruct(written) as FeatureOf<W> & Features;
}

/** Written in the place of a dtype. */
export const isJsonName = (text: string): text is "json" => text === "json" || text === "Json";

function toFeature(written: FeatureLike): Feature {
  if (typeof written === "string") return isJsonName(written) ? Json() : Value(written);
  if (Array.isArray(written)) {
    if (written.length === 1) return List(written[0] as FeatureLike);
    throw new RangeError('a list is written with one feature in brackets: ["int32"]');
  }
  if (typeof written !== "object" || written === null) throw new RangeError(`${String(written)} is not a feature`);
  const feature = written as Feature;
  if (isA(feature, "Value")) return Value(feature.dtype);
  if (isA(feature, "List") || isA(feature, "LargeList"))
    return { ...feature, feature: toFeature(feature.feature), length: feature.length ?? -1 };
  if (isA(feature, "Nullable")) return Nullable(feature.feature);
  if (isA(feature, "Map")) return MapOf(feature.key, feature.value);
  if (isA(feature, "ClassLabel")) return ClassLabel(feature.names);
  return isA(feature, "Json") ? Json() : toStruct(feature as Struct);
}

function toStruct(written: FeaturesLike): Struct {
  const struct: Record<string, Feature> = {};
  for (const [name, feature] of Object.entries(written)) {
    const flaw = nameFlaw(name);
    if (flaw !== undefined) throw new RangeError(flaw);
    struct[name] = toFeature(feature);
  }
  return struct;
}

interface Kinds {
  Value: Value;
  List: List;
  LargeList: List;
  ClassLabel: ClassLabel;
  Json: JsonFeature;
  Nullable: Nullable;
  Map: MapFeature;
}

/** A struct has a feature, never a text, in a field named `_type`. */
export function isA<K extends keyof Kinds>(feature: Feature, type: K): feature is Kinds[K] {
  return (feature as { _type?: unknown })._type === type;
}

export const isList = (feature: Feature): feature is List => isA(feature, "List") || isA(feature, "LargeList");

export const isStruct = (feature: Feature): feature is Struct =>
  typeof (feature as { _type?: unknown })._type !== "string";

/** The feature without `Nullable`, and whether it had it. */
export function splitNullable(feature: Feature): {
  readonly core: Exclude<Feature, Nullable>;
  readonly nullable: boolean;
} {
  return isA(feature, "Nullable")
    ? { core: feature.feature as Exclude<Feature, Nullable>, nullable: true }
    : { core: feature as Exclude<Feature, Nullable>, nullable: false };
}

/** As a person reads it: `list<int32>?`, `{url: string, size: int64?}`. */
export function featureText(feature: Feature): string {
  const { core, nullable } = splitNullable(feature);
  return `${coreText(core)}${nullable ? "?" : ""}`;
}

function coreText(core: Feature): string {
  if (isA(core, "Value")) return core.dtype;
  if (isList(core))
    return `${core._type === "LargeList" ? "large_" : ""}list<${featureText(core.feature)}>${core.length < 0 ? "" : `[${core.length}]`}`;
  if (isA(core, "ClassLabel")) {
    const names = core.names.length > 5 ? [...core.names.slice(0, 5), "…"] : core.names;
    return `label(${names.join(", ")})`;
  }
  if (isA(core, "Json")) return "json";
  if (isA(core, "Map")) return `map<${featureText(core.key)}, ${featureText(core.value)}>`;
  return `{${Object.entries(core as Struct)
    .map(([name, field]) => `${name}: ${featureText(field)}`)
    .join(", ")}}`;
}
