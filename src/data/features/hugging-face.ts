import { didYouMean } from "../../base/nearest.js";
import { dtypeNamed } from "./dtypes.js";
import {
  ClassLabel,
  type Feature,
  type Features,
  isA,
  isJsonName,
  isList,
  Json,
  List,
  Nullable,
  type Struct,
  splitNullable,
  Value,
} from "./feature.js";
import { nameFlaw } from "./text-flaws.js";

/** The JSON of `Features.to_dict()` in Python's `datasets`; `Nullable` is left out, because there every value may be null. */
export function toHuggingFace(features: Features): Record<string, unknown> {
  return Object.fromEntries(Object.entries(features).map(([name, feature]) => [name, written(feature)]));
}

function written(feature: Feature): unknown {
  const { core } = splitNullable(feature);
  if (isList(core)) {
    const list = { feature: written(core.feature), _type: core._type };
    return core.length < 0 ? list : { feature: list.feature, length: core.length, _type: list._type };
  }
  if (isA(core, "ClassLabel")) return { names: core.names, _type: "ClassLabel" };
  if (isA(core, "Map")) return written(List({ key: core.key, value: core.value } as Struct));
  return isA(core, "Value") || isA(core, "Json") ? core : toHuggingFace(core as Struct);
}

/** Whether Python's `datasets` can have these features. It has no maps. */
export function fitsHuggingFace(feature: Feature): boolean {
  const { core } = splitNullable(feature);
  if (isA(core, "Map")) return false;
  if (isList(core)) return fitsHuggingFace(core.feature);
  return (
    isA(core, "Value") ||
    isA(core, "ClassLabel") ||
    isA(core, "Json") ||
    Object.values(core as Struct).every(fitsHuggingFace)
  );
}

const TYPES = [
  "Value",
  "ClassLabel",
  "List",
  "LargeList",
  "Sequence",
  "Json",
  "Array2D",
  "Array3D",
  "Array4D",
  "Array5D",
  "Translation",
  "Image",
  "Audio",
  "Video",
  "Pdf",
  "Map",
  "Nullable",
];

/**
 * Features from the JSON of Hugging Face, of older releases too (`Sequence`, `[feature]`), and from our own (`Nullable`, names of
 * dtypes). Images and audio are the struct that they are stored as.
 * @param nullable every value may be null, as in Python
 * @throws RangeError with the path of what is no feature
 */
export function fromHuggingFace(json: unknown, { nullable = false } = {}): Features {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new RangeError("features are a JSON object of columns");
  return readStruct(json, "", nullable);
}

function readStruct(json: object, path: string, nullable: boolean): Struct {
  const struct: Record<string, Feature> = {};
  for (const [name, field] of Object.entries(json)) {
    const flaw = nameFlaw(name);
    if (flaw !== undefined) throw new RangeError(flaw);
    struct[name] = read(field, path === "" ? name : `${path}.${name}`, nullable);
  }
  return struct;
}

function read(json: unknown, path: string, nullable: boolean): Feature {
  const feature = readCore(json, path, nullable);
  return nullable ? Nullable(feature) : feature;
}

type Written = Readonly<Record<string, unknown>>;

function readCore(json: unknown, path: string, nullable: boolean): Feature {
  if (typeof json === "string") return isJsonName(json) ? Json() : readValue(json, path);
  if (Array.isArray(json) && json.length === 1) return List(read(json[0], `${path}[]`, nullable));
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new RangeError(`${path}: ${JSON.stringify(json)} is not a feature`);
  const { _type: type } = json as Written;
  if (typeof type !== "string") return readStruct(json, path, nullable);
  return readTyped(json as Written, type, path, nullable);
}

function readTyped(json: Written, type: string, path: string, nullable: boolean): Feature {
  const inner = (): Feature => read(json.feature, `${path}[]`, nullable);
  switch (type) {
    case "Value":
      return readValue(json.dtype, path);
    case "ClassLabel":
      return ClassLabel(readNames(json, path));
    case "Json":
      return Json();
    case "Nullable":
      return Nullable(read(json.feature, path, nullable));
    case "List":
    case "LargeList":
      return List(inner(), { length: typeof json.length === "number" ? json.length : -1, large: type === "LargeList" });
    case "Map":
      return {
        key: read(json.key, `${path}.key`, false),
        value: read(json.value, `${path}.value`, nullable),
        _type: "Map",
      };
    case "Sequence":
      return readSequence(inner(), json, nullable);
    case "Image":
    case "Audio":
    case "Video":
    case "Pdf":
      return { bytes: Nullable("binary"), path: Nullable("string") };
    case "Translation":
      return readTranslation(json, path);
  }
  const dimensions = /^Array([2-5])D$/.exec(type)?.[1];
  if (dimensions !== undefined) return readArray(json, Number(dimensions), path);
  throw new RangeError(`${path}: there is no feature type "${type}".${didYouMean(type, TYPES)}`);
}

function readValue(dtype: unknown, path: string): Feature {
  const named = typeof dtype === "string" ? dtypeNamed(dtype) : undefined;
  if (named !== undefined) return Value(named);
  throw new RangeError(
    `${path}: there is no dtype ${JSON.stringify(dtype)}.${didYouMean(String(dtype), ["string", "bool", "int32", "int64", "float32", "float64", "binary", "timestamp[us]", "date32"])}`,
  );
}

function readNames(json: Written, path: string): string[] {
  const names = json.names;
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  // A dataset card has them by number: { "0": "neg", "1": "pos" }.
  if (typeof names === "object" && names !== null) return Object.values(names).map(String);
  if (typeof json.num_classes === "number") return Array.from({ length: json.num_classes }, (_, i) => String(i));
  throw new RangeError(`${path}: a ClassLabel needs names`);
}

/** A `Sequence` of a struct is stored as a struct of lists. */
function readSequence(inner: Feature, json: Written, nullable: boolean): Feature {
  const { core } = splitNullable(inner);
  const length = typeof json.length === "number" ? json.length : -1;
  if (isA(core, "Value") || isA(core, "ClassLabel") || isA(core, "Json") || isList(core) || isA(core, "Map"))
    return List(inner, { length });
  const lists = Object.entries(core as Struct).map(([name, field]) => {
    const list = List(field, { length });
    return [name, nullable ? Nullable(list) : list];
  });
  return Object.fromEntries(lists);
}

function readTranslation({ languages }: Written, path: string): Feature {
  if (!Array.isArray(languages) || !languages.every((language) => typeof language === "string"))
    throw new RangeError(`${path}: a Translation needs languages, like ["de", "en"]`);
  return readStruct(Object.fromEntries(languages.map((language) => [language, "string"])), path, true);
}

function readArray({ shape, dtype }: Written, count: number, path: string): Feature {
  let feature = readValue(dtype, path);
  const isLength = (one: unknown): boolean => one === null || (Number.isInteger(one) && (one as number) >= -1);
  if (!Array.isArray(shape) || shape.length !== count || !shape.every(isLength))
    throw new RangeError(`${path}: an Array${count}D needs a shape of ${count} lengths, like [null, 3]`);
  const dimensions = shape as readonly (number | null)[];
  for (const length of dimensions.slice(1).reverse()) feature = List(feature, { length: length ?? -1 });
  return List(feature, { length: dimensions[0] ?? -1 });
}
