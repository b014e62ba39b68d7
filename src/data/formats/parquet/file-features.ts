import type { FileMetaData } from "hyparquet";
import { own } from "../../../base/own.js";
import { type DTypeParts, dtypeParts } from "../../features/dtypes.js";
import {
  type Feature,
  type Features,
  isA,
  isList,
  isStruct,
  type List,
  type MapFeature,
  Nullable,
  type Struct,
  splitNullable,
} from "../../features/feature.js";
import { withMetadata } from "../arrow/metadata.js";
import { decodeSchemaMessage } from "../arrow/schema.js";
import { featuresOfNodes, type Node } from "./nodes.js";

/** The features of a file: its schema, made more exact by the metadata of Arrow and Hugging Face, as far as they agree with it. */
export async function featuresOfFile(
  nodes: readonly (readonly [string, Node])[],
  metadata: FileMetaData,
): Promise<Features> {
  const stored = featuresOfNodes(nodes);
  const values = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value ?? ""]));
  const arrow = await arrowFeatures(values.get("ARROW:schema"));
  const exact = arrow ? refineStruct(stored, arrow) : stored;
  return withMetadata(exact, values);
}

async function arrowFeatures(message: string | undefined): Promise<Features | undefined> {
  if (message === undefined) return undefined;
  try {
    return await decodeSchemaMessage(message);
  } catch {
    // A type that we do not know, or damage: the file's own schema is enough to read it.
    return undefined;
  }
}

const refineStruct = (stored: Struct, said: Struct): Struct =>
  Object.fromEntries(
    Object.entries(stored).map(([name, feature]) => {
      const meant = own(said, name);
      return [name, meant ? refine(feature, meant) : feature];
    }),
  );

function refine(stored: Feature, said: Feature): Feature {
  const { core, nullable } = splitNullable(stored);
  const other = splitNullable(said).core;
  const exact = refineCore(core, other);
  return nullable && !(isA(exact, "Value") && exact.dtype === "null") ? Nullable(exact) : exact;
}

function refineCore(core: Feature, said: Feature): Feature {
  if (isA(core, "Value") && isA(said, "Value"))
    return isStoredAs(dtypeParts(said.dtype), dtypeParts(core.dtype)) ? said : core;
  if (isA(said, "Json") && isA(core, "Value")) return core.dtype === "string" ? said : core;
  if (isList(core) && isList(said)) return { ...said, feature: refine(core.feature, said.feature) } satisfies List;
  if (isA(core, "Map") && isA(said, "Map"))
    return {
      key: refine(core.key, said.key),
      value: refine(core.value, said.value),
      _type: "Map",
    } satisfies MapFeature;
  return isStruct(core) && isStruct(said) ? refineStruct(core, said) : core;
}

/** Whether a type of Arrow is stored as a type that Parquet has. */
function isStoredAs(arrow: DTypeParts, stored: DTypeParts): boolean {
  if (arrow.kind === "duration") return stored.kind === "int" && stored.bits === 64;
  if (arrow.kind === "timestamp" && stored.kind === "timestamp")
    return arrow.unit === stored.unit || (arrow.unit === "s" && stored.unit === "ms");
  if (arrow.kind === "time" && stored.kind === "time")
    return arrow.unit === stored.unit || (arrow.unit === "s" && stored.unit === "ms");
  if (arrow.kind === "null") return stored.kind === "int" || stored.kind === "null";
  if (arrow.kind === "decimal" && stored.kind === "decimal")
    return arrow.precision === stored.precision && arrow.scale === stored.scale;
  if (arrow.kind === "int" && stored.kind === "int")
    return arrow.bits === stored.bits && arrow.signed === stored.signed;
  if (arrow.kind === "float" && stored.kind === "float") return arrow.bits === stored.bits;
  return arrow.kind === stored.kind;
}
