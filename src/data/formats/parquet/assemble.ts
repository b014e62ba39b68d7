import { type Column, plainInteger } from "../../batch/batch.js";
import { type Feature, isList, type MapFeature, type Struct, splitNullable } from "../../features/feature.js";
import { takerOf } from "../take-lists.js";
import type { LeafData } from "./leaf-reader.js";
import type { LeafNode, ListNode, Node } from "./nodes.js";

/** The entries of a leaf that begin the slots of a node. */
interface Slots {
  readonly count: number;
  /** Undefined: every entry is one. */
  readonly entries: Int32Array | undefined;
}

type LeafSource = (leaf: LeafNode) => LeafData;

/** The values of a column, a value for each row. */
export function assembleColumn(node: Node, feature: Feature, leaf: LeafSource): Column {
  return valuesOf(node, feature, leaf) as Column;
}

/** The values of all slots of a node, in order. */
function valuesOf(node: Node, feature: Feature, leaf: LeafSource): ArrayLike<unknown> {
  const { core } = splitNullable(feature);
  if (node.kind === "leaf") return leafValues(node, leaf(node));
  return node.kind === "list" ? listValues(node, core, leaf) : structValues(node, core as Struct, leaf);
}

const firstLeaf = (node: Node): LeafNode =>
  node.kind === "leaf" ? node : firstLeaf(node.kind === "list" ? node.item : node.fields[0]![1]);

function slotsOf({ slotDef, rep }: Node, data: LeafData): Slots {
  const { def, rep: levels, entries } = data;
  if (levels === undefined && (def === undefined || slotDef === 0)) return { count: entries, entries: undefined };
  const found = new Int32Array(entries);
  let count = 0;
  for (let i = 0; i < entries; i++)
    if ((levels === undefined || levels[i]! <= rep) && (def === undefined || def[i]! >= slotDef)) found[count++] = i;
  return count === entries ? { count, entries: undefined } : { count, entries: found.subarray(0, count) };
}

function leafValues(node: LeafNode, data: LeafData): ArrayLike<unknown> {
  const { def, values: dense } = data;
  if (def === undefined) return dense;
  const plain = plainerOf(dense);
  // Values and nulls; entries above the node (an empty list) are neither.
  const values: unknown[] = [];
  let next = 0;
  for (let i = 0; i < def.length; i++) {
    const level = def[i]!;
    if (level === data.maxDef) values.push(plain(dense[next++]));
    else if (level >= node.slotDef) values.push(null);
  }
  // No null was among them.
  return values.length === dense.length && next === dense.length && ArrayBuffer.isView(dense) ? dense : values;
}

/** Integers beside nulls and in structs are numbers, and bigints only where they are needed. */
function plainerOf(values: ArrayLike<unknown>): (value: unknown) => unknown {
  const isWide = values instanceof BigInt64Array || values instanceof BigUint64Array;
  return isWide ? (value) => plainInteger(value as bigint) : (value) => value;
}

function listValues(node: ListNode, core: Feature, leaf: LeafSource): unknown[] {
  const data = leaf(firstLeaf(node));
  const { def, rep } = data;
  const items = valuesOf(node.item, itemFeature(core), leaf);
  const take = takerOf(items, core);
  if (node.rep === 0 && def === undefined && node.item.kind === "leaf") return flatLists(rep!, take);
  const lists: unknown[] = [];
  // Items of the list that is being read begin here.
  let from = 0;
  let to = 0;
  let isOpen = false;
  const close = (): void => {
    if (isOpen) lists.push(take(from, to));
    from = to;
    isOpen = false;
  };
  for (let i = 0; i < data.entries; i++) {
    const level = def === undefined ? data.maxDef : def[i]!;
    if (rep![i]! <= node.rep) {
      close();
      if (level < node.slotDef) continue;
      if (level < node.ownDef) lists.push(null);
      else isOpen = true;
    }
    // An entry of a deeper list goes on in the same item.
    if (level >= node.item.slotDef && rep![i]! <= node.item.rep) to++;
  }
  close();
  return lists;
}

/** Lists of a row each, none of them empty or null: every 0 begins one. */
function flatLists(rep: Uint8Array, take: (from: number, to: number) => unknown): unknown[] {
  const lists: unknown[] = [];
  for (let from = 0; from < rep.length; ) {
    const next = rep.indexOf(0, from + 1);
    const to = next < 0 ? rep.length : next;
    lists.push(take(from, to));
    from = to;
  }
  return lists;
}

function itemFeature(core: Feature): Feature {
  return isList(core) ? core.feature : ({ key: (core as MapFeature).key, value: (core as MapFeature).value } as Struct);
}

function structValues(node: Extract<Node, { kind: "struct" }>, core: Struct, leaf: LeafSource): unknown[] {
  const columns = node.fields.map(([name, field]) => {
    const values = valuesOf(field, core[name]!, leaf);
    return [name, values, plainerOf(values)] as const;
  });
  const data = leaf(firstLeaf(node));
  const { count, entries } = slotsOf(node, data);
  const structs = new Array<unknown>(count);
  // The fields have slots only where the struct is there.
  let next = 0;
  for (let i = 0; i < count; i++) {
    const level = data.def === undefined ? data.maxDef : data.def[entries ? entries[i]! : i]!;
    if (level < node.ownDef) {
      structs[i] = null;
      continue;
    }
    const struct: Record<string, unknown> = {};
    for (const [name, values, plain] of columns) struct[name] = plain(values[next]);
    structs[i] = struct;
    next++;
  }
  return structs;
}
