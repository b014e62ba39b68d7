import type { SchemaElement } from "hyparquet";
import { KagurazakaError } from "../../../base/errors.js";
import {
  type Feature,
  type Features,
  isA,
  isList,
  isStruct,
  type MapFeature,
  type Struct,
  splitNullable,
} from "../../features/feature.js";
import { elementOfDtype } from "./elements.js";
import type { Node } from "./nodes.js";

/** The schema of a file that is to be written, and its columns as nodes. Lists have three levels, as pyarrow writes them. */
export interface WrittenSchema {
  readonly elements: SchemaElement[];
  readonly nodes: readonly (readonly [name: string, node: Node])[];
}

/** @throws KagurazakaError `features` for a struct without fields */
export function schemaNodesOf(features: Features): WrittenSchema {
  for (const [name, feature] of Object.entries(features)) refuseEmpty(feature, name);
  const elements: SchemaElement[] = [{ name: "schema", num_children: Object.keys(features).length }];
  const nodes = Object.entries(features).map(
    ([name, feature]) => [name, add(elements, [name], feature, 0, 0)] as const,
  );
  return { elements, nodes };
}

function refuseEmpty(feature: Feature, path: string): void {
  const { core } = splitNullable(feature);
  if (isList(core)) return refuseEmpty(core.feature, `${path}[]`);
  if (isA(core, "Map")) return refuseEmpty(core.value, `${path}.value`);
  if (!isStruct(core)) return;
  const fields = Object.entries(core);
  if (fields.length === 0)
    throw new KagurazakaError("features", `column ${path} is a struct without fields, which parquet cannot have`, {
      hint: "Say in the features what it is: Json() holds any value. Or leave the column out.",
    });
  for (const [name, field] of fields) refuseEmpty(field, `${path}.${name}`);
}

/** Adds the elements of a field, in depth-first order. */
function add(elements: SchemaElement[], path: readonly string[], feature: Feature, slotDef: number, rep: number): Node {
  const split = splitNullable(feature);
  const { core } = split;
  const nullable = split.nullable || (isA(core, "Value") && core.dtype === "null");
  const common = { name: path.at(-1)!, repetition_type: nullable ? "OPTIONAL" : "REQUIRED" } as const;
  const base = { slotDef, rep, ownDef: slotDef + (nullable ? 1 : 0), nullable };
  if (isList(core)) {
    elements.push({ ...common, num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } });
    elements.push({ name: "list", repetition_type: "REPEATED", num_children: 1 });
    const item = add(elements, [...path, "list", "element"], core.feature, base.ownDef + 1, rep + 1);
    return { kind: "list", isMap: false, item, ...base };
  }
  if (isA(core, "Map")) return addMap(elements, path, core, common, base);
  if (isA(core, "Value") || isA(core, "ClassLabel") || isA(core, "Json")) {
    const element: SchemaElement = { ...common, ...leafElement(core) };
    elements.push(element);
    return { kind: "leaf", element, path, ...base };
  }
  const fields = Object.entries(core as Struct);
  elements.push({ ...common, num_children: fields.length });
  const inner = fields.map(([name, field]) => [name, add(elements, [...path, name], field, base.ownDef, rep)] as const);
  return { kind: "struct", fields: inner, ...base };
}

function addMap(
  elements: SchemaElement[],
  path: readonly string[],
  { key, value }: MapFeature,
  common: Pick<SchemaElement, "name" | "repetition_type">,
  base: Pick<Node, "slotDef" | "rep" | "ownDef" | "nullable">,
): Node {
  elements.push({ ...common, num_children: 1, converted_type: "MAP", logical_type: { type: "MAP" } });
  elements.push({ name: "key_value", repetition_type: "REPEATED", num_children: 2 });
  const [slotDef, rep] = [base.ownDef + 1, base.rep + 1];
  const inner = [...path, "key_value"];
  const fields = [
    ["key", add(elements, [...inner, "key"], splitNullable(key).core, slotDef, rep)],
    ["value", add(elements, [...inner, "value"], value, slotDef, rep)],
  ] as const;
  const item: Node = { kind: "struct", fields, slotDef, rep, ownDef: slotDef, nullable: false };
  return { kind: "list", isMap: true, item, ...base };
}

function leafElement(core: Feature): Omit<SchemaElement, "name" | "repetition_type"> {
  if (isA(core, "ClassLabel")) return { type: "INT64" };
  if (isA(core, "Json")) return { type: "BYTE_ARRAY", converted_type: "JSON", logical_type: { type: "JSON" } };
  return elementOfDtype((core as { dtype: Parameters<typeof elementOfDtype>[0] }).dtype);
}
