import type { Column } from "../../batch/batch.js";
import { type LeafNode, type ListNode, leavesOf, type Node } from "./nodes.js";

/** What a leaf of a row group is written of: values that are there, and levels where they are not all the same. */
export interface ShreddedLeaf {
  readonly leaf: LeafNode;
  readonly values: ArrayLike<unknown>;
  /** Undefined: every entry is a value. */
  readonly def: Uint8Array | undefined;
  /** Undefined outside of lists. */
  readonly rep: Uint8Array | undefined;
  readonly entries: number;
}

/** Takes a column apart into its leaves (Dremel, Melnik et al., 2010). */
export function shredColumn(node: Node, column: Column): ShreddedLeaf[] {
  const fast = shredNumbers(node, column);
  if (fast) return [fast];
  const sinks = new Map<LeafNode, LeafSink>(leavesOf(node).map((leaf) => [leaf, new LeafSink(leaf)]));
  for (let i = 0; i < column.length; i++) shred(node, column[i], 0, sinks);
  return [...sinks.values()].map((sink) => sink.finish());
}

/** Typed arrays, and lists of them, are copied as they are. */
function shredNumbers(node: Node, column: Column): ShreddedLeaf | undefined {
  if (node.kind === "leaf" && ArrayBuffer.isView(column))
    return { leaf: node, values: column, def: undefined, rep: undefined, entries: column.length };
  return node.kind === "list" && node.item.kind === "leaf" ? shredNumberLists(node, node.item, column) : undefined;
}

function shredNumberLists(node: ListNode, leaf: LeafNode, column: Column): ShreddedLeaf | undefined {
  let items = 0;
  let entries = 0;
  let type: (new (length: number) => Int32Array) | undefined;
  for (const list of column as readonly unknown[]) {
    if (list === null) entries++;
    else if (!ArrayBuffer.isView(list)) return undefined;
    else {
      const numbers = list as Int32Array;
      type ??= numbers.constructor as new (length: number) => Int32Array;
      if (numbers.constructor !== type) return undefined;
      items += numbers.length;
      entries += Math.max(1, numbers.length);
    }
  }
  if (type === undefined) return undefined;
  const values = new type(items);
  const rep = new Uint8Array(entries).fill(leaf.rep);
  const def = new Uint8Array(entries).fill(leaf.ownDef);
  let at = 0;
  let entry = 0;
  for (const list of column as readonly (Int32Array | null)[]) {
    rep[entry] = node.rep;
    if (list === null || list.length === 0) {
      def[entry++] = list === null ? node.ownDef - 1 : node.ownDef;
      continue;
    }
    values.set(list, at);
    at += list.length;
    entry += list.length;
  }
  return { leaf, values, def: items === entries ? undefined : def, rep, entries };
}

function shred(node: Node, value: unknown, rep: number, sinks: ReadonlyMap<LeafNode, LeafSink>): void {
  if (value === null || value === undefined) return absent(node, node.ownDef - 1, rep, sinks);
  if (node.kind === "leaf") return sinks.get(node)!.add(value, rep);
  if (node.kind === "struct") {
    for (const [name, field] of node.fields) shred(field, (value as Record<string, unknown>)[name], rep, sinks);
    return;
  }
  const items = value as ArrayLike<unknown>;
  if (items.length === 0) return absent(node, node.ownDef, rep, sinks);
  for (let i = 0; i < items.length; i++) shred(node.item, items[i], i === 0 ? rep : node.rep + 1, sinks);
}

function absent(node: Node, def: number, rep: number, sinks: ReadonlyMap<LeafNode, LeafSink>): void {
  for (const leaf of leavesOf(node)) sinks.get(leaf)!.absent(def, rep);
}

/** Collects the entries of a leaf. */
class LeafSink {
  readonly #leaf: LeafNode;
  readonly #values: unknown[] = [];
  #def = new Uint8Array(1024);
  #rep = new Uint8Array(1024);
  #entries = 0;

  constructor(leaf: LeafNode) {
    this.#leaf = leaf;
  }

  add(value: unknown, rep: number): void {
    this.#values.push(value);
    this.absent(this.#leaf.ownDef, rep);
  }

  absent(def: number, rep: number): void {
    if (this.#entries === this.#def.length) {
      this.#def = grown(this.#def);
      this.#rep = grown(this.#rep);
    }
    this.#def[this.#entries] = def;
    this.#rep[this.#entries++] = rep;
  }

  finish(): ShreddedLeaf {
    const entries = this.#entries;
    const isFull = this.#values.length === entries;
    return {
      leaf: this.#leaf,
      values: this.#values,
      def: isFull ? undefined : this.#def.subarray(0, entries),
      rep: this.#leaf.rep === 0 ? undefined : this.#rep.subarray(0, entries),
      entries,
    };
  }
}

function grown(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}
