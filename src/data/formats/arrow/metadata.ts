import { isDeepStrictEqual } from "node:util";
import { own } from "../../../base/own.js";
import {
  type Feature,
  type Features,
  isA,
  isList,
  isStruct,
  Nullable,
  type Struct,
  splitNullable,
  Value,
} from "../../features/feature.js";
import { fitsHuggingFace, fromHuggingFace, toHuggingFace } from "../../features/hugging-face.js";
import { labelled } from "../../features/labelled.js";

/*
 * Labels and JSON are stored as integers and text. What they mean stands in the metadata of a file, twice: as Python's `datasets`
 * has it, which counts there only for columns that may be null at every depth, and only where all columns have a feature there
 * (maps have none); and exactly, for us.
 */
const HUGGING_FACE = "huggingface";
const OWN = "kagurazaka";

/** What the storage of columns does not say. */
export function metadataOf(features: Features): [key: string, value: string][] {
  const meant = Object.fromEntries(Object.entries(features).filter(([, feature]) => hasMeaning(feature)));
  const fits = Object.values(features).every(fitsHuggingFace);
  return [
    ...(fits
      ? [[HUGGING_FACE, JSON.stringify({ info: { features: toHuggingFace(features) } })] as [string, string]]
      : []),
    ...(Object.keys(meant).length > 0 ? [[OWN, JSON.stringify({ features: meant })] as [string, string]] : []),
  ];
}

/** The features of a file's columns, with what its metadata say of them where their storage agrees. */
export function withMetadata(storage: Features, metadata: ReadonlyMap<string, string>): Features {
  const said = partOf(metadata.get(HUGGING_FACE), (value) => fromHuggingFace((value as HuggingFace).info.features));
  const exact = partOf(metadata.get(OWN), (value) => (value as { features: Features }).features);
  const features = said ? labelled(storage, said) : storage;
  if (!exact) return features;
  return Object.fromEntries(
    Object.entries(features).map(([name, feature]) => {
      const meant = own(exact, name);
      return [name, meant && agrees(meant, feature) ? meant : feature];
    }),
  );
}

/** Metadata may hold anything. */
function agrees(said: Feature, feature: Feature): boolean {
  try {
    return isDeepStrictEqual(bare(stored(said)), bare(feature));
  } catch {
    return false;
  }
}

interface HuggingFace {
  readonly info: { readonly features: unknown };
}

/** Metadata that cannot be read say nothing; the schema does. */
function partOf(text: string | undefined, read: (value: unknown) => Features): Features | undefined {
  try {
    return text === undefined ? undefined : read(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** As columns are stored: those with labels or JSON may be null at every depth, or Python's `datasets` would not know them. */
export const storedFeatures = (features: Features): Features =>
  Object.fromEntries(Object.entries(features).map(([name, feature]) => [name, stored(feature)]));

const stored = (feature: Feature): Feature => (hasMeaning(feature) ? changed(feature, Nullable, same) : feature);

const bare = (feature: Feature): Feature =>
  changed(feature, same, (leaf) =>
    isA(leaf, "ClassLabel") ? Value("int64") : isA(leaf, "Json") ? Value("string") : leaf,
  );

const same = (feature: Feature): Feature => feature;

function hasMeaning(feature: Feature): boolean {
  const { core } = splitNullable(feature);
  if (isA(core, "ClassLabel") || isA(core, "Json")) return true;
  if (isList(core)) return hasMeaning(core.feature);
  if (isA(core, "Map")) return hasMeaning(core.value);
  return isStruct(core) && Object.values(core).some(hasMeaning);
}

/** The same at every depth. The keys of a map stay as they are: they are never null. */
function changed(feature: Feature, all: (core: Feature) => Feature, leaf: (core: Feature) => Feature): Feature {
  const { core, nullable } = splitNullable(feature);
  const inside = (one: Feature): Feature => changed(one, all, leaf);
  const made: Feature = isList(core)
    ? { ...core, feature: inside(core.feature) }
    : isA(core, "Map")
      ? { ...core, value: inside(core.value) }
      : isStruct(core)
        ? (Object.fromEntries(Object.entries(core).map(([name, field]) => [name, inside(field)])) as Struct)
        : leaf(core);
  return nullable ? Nullable(made) : all(made);
}
