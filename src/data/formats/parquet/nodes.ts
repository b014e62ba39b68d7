import type { SchemaElement, SchemaTree } from "hyparquet";
import {
  type Feature,
  type Features,
  isList,
  List,
  type MapFeature,
  Nullable,
  type Struct,
  splitNullable,
} from "../../features/feature.js";
import { checkUnique } from "../unique-names.js";
import { featureOfElement } from "./elements.js";

/**
 * The columns of a file as a tree. Levels are those of Dremel: a value's definition level tells how much of its path is there, its
 * repetition level in which list it goes on.
 *
 *     slot of a node     exists where def ≥ `slotDef`; begins where rep ≤ `rep`
 *     the node is null   where def < `ownDef`
 */
interface NodeBase {
  readonly slotDef: number;
  readonly rep: number;
  readonly ownDef: number;
  readonly nullable: boolean;
}

export interface LeafNode extends NodeBase {
  readonly kind: "leaf";
  readonly element: SchemaElement;
  /** `meta.url`, as column chunks name it. */
  readonly path: readonly string[];
}

/** A list, and a map as a list of its entries. */
export interface ListNode extends NodeBase {
  readonly kind: "list";
  readonly isMap: boolean;
  readonly item: Node;
}

interface StructNode extends NodeBase {
  readonly kind: "struct";
  readonly fields: readonly (readonly [name: string, node: Node])[];
}

export type Node = LeafNode | ListNode | StructNode;

/** Each list has two. Code that walks a schema calls itself for each level. */
const MAX_LEVELS = 1000;

/** The nodes of all columns. @throws Error for a schema that cannot be read */
export function nodesOf(root: SchemaTree): [name: string, node: Node][] {
  checkUnique(namesOf(root));
  return root.children.map((child) => [child.element.name, nodeOf(child, 0, 0)]);
}

const namesOf = ({ children }: SchemaTree): string[] => children.map(({ element }) => element.name);

function nodeOf(tree: SchemaTree, slotDef: number, rep: number): Node {
  const { element } = tree;
  if (tree.path.length > MAX_LEVELS) throw new Error(`column ${tree.path[0]} has more than ${MAX_LEVELS} levels`);
  if (element.name === "__proto__")
    throw new Error(`no column can be named "__proto__": rename ${tree.path.join(".")}`);
  // A repeated field without a group around it is a list of what is required.
  if (element.repetition_type === "REPEATED") {
    const item = innerNode(tree, { slotDef: slotDef + 1, rep: rep + 1, ownDef: slotDef + 1, nullable: false });
    return { kind: "list", isMap: false, slotDef, rep, ownDef: slotDef, nullable: false, item };
  }
  const nullable = element.repetition_type === "OPTIONAL";
  return innerNode(tree, { slotDef, rep, ownDef: slotDef + (nullable ? 1 : 0), nullable });
}

function innerNode(tree: SchemaTree, base: NodeBase): Node {
  const { element, children } = tree;
  if (children.length === 0) {
    if (!element.type) throw new Error(`column ${tree.path.join(".")} is a struct without fields`);
    return { kind: "leaf", element, path: tree.path, ...base };
  }
  const [repeated] = children;
  if (children.length === 1 && repeated!.element.repetition_type === "REPEATED") {
    const kind = `${element.converted_type} ${element.logical_type?.type}`;
    if (/MAP/.test(kind) && repeated!.children.length === 2) return listNode(repeated!, base, true, repeated!);
    if (/LIST/.test(kind)) return listNode(repeated!, base, false, itemOf(repeated!, element.name));
  }
  checkUnique(namesOf(tree), `column ${tree.path.join(".")}`);
  return {
    kind: "struct",
    fields: children.map((child) => [child.element.name, nodeOf(child, base.ownDef, base.rep)]),
    ...base,
  };
}

/** The inner group of a list is no struct but where old writers left it out (parquet-format, LogicalTypes, backward compatibility). */
function itemOf(repeated: SchemaTree, name: string): SchemaTree {
  const isWrapper =
    repeated.children.length === 1 && repeated.element.name !== "array" && repeated.element.name !== `${name}_tuple`;
  return isWrapper ? repeated.children[0]! : repeated;
}

function listNode(repeated: SchemaTree, base: NodeBase, isMap: boolean, item: SchemaTree): ListNode {
  const [slotDef, rep] = [base.ownDef + 1, base.rep + 1];
  const itemBase = { slotDef, rep, ownDef: slotDef, nullable: false };
  return {
    kind: "list",
    isMap,
    item: item === repeated ? innerNode(repeated, itemBase) : nodeOf(item, slotDef, rep),
    ...base,
  };
}

/** All leaves below a node, in the order of column chunks. */
export function leavesOf(node: Node): LeafNode[] {
  if (node.kind === "leaf") return [node];
  return node.kind === "list" ? leavesOf(node.item) : node.fields.flatMap(([, field]) => leavesOf(field));
}

/** What the file itself says, without the metadata of Arrow and Hugging Face. */
export const featuresOfNodes = (nodes: readonly (readonly [string, Node])[]): Features =>
  Object.fromEntries(nodes.map(([name, node]) => [name, featureOfNode(node)]));

function featureOfNode(node: Node): Feature {
  const core = coreOf(node);
  return node.nullable ? Nullable(core) : core;
}

function coreOf(node: Node): Feature {
  if (node.kind === "leaf") return featureOfElement(node.element);
  if (node.kind === "struct")
    return Object.fromEntries(node.fields.map(([name, field]) => [name, featureOfNode(field)])) as Struct;
  if (!node.isMap || node.item.kind !== "struct") return List(featureOfNode(node.item));
  const [key, value] = node.item.fields;
  return { key: featureOfNode(key![1]), value: featureOfNode(value![1]), _type: "Map" } satisfies MapFeature;
}

/** The feature of a leaf below a column. */
export function leafFeature(feature: Feature, node: Node, leaf: Node): Feature {
  const { core } = splitNullable(feature);
  if (node === leaf) return core;
  if (node.kind === "list") {
    const item = isList(core)
      ? core.feature
      : ({ key: (core as MapFeature).key, value: (core as MapFeature).value } as Struct);
    return leafFeature(item, node.item, leaf);
  }
  if (node.kind === "leaf") return core;
  const [name, field] = node.fields.find(([, one]) => contains(one, leaf))!;
  return leafFeature((core as Struct)[name]!, field, leaf);
}

function contains(node: Node, leaf: Node): boolean {
  if (node === leaf) return true;
  if (node.kind === "leaf") return false;
  return node.kind === "list" ? contains(node.item, leaf) : node.fields.some(([, field]) => contains(field, leaf));
}
