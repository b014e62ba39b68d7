import type { Column } from "../../batch/batch.js";
import type { Feature } from "../../features/feature.js";
import { assembleColumn } from "./assemble.js";
import type { LeafData, LeafReader } from "./leaf-reader.js";
import type { LeafNode, Node } from "./nodes.js";

/** A column of a row group that is being read; without a node one that the file does not have. */
export class GroupColumn {
  readonly name: string;
  readonly #node: Node | undefined;
  readonly #feature: Feature;
  readonly #leaves: ReadonlyMap<LeafNode, LeafReader>;

  constructor(name: string, node: Node | undefined, feature: Feature, leaves: ReadonlyMap<LeafNode, LeafReader>) {
    this.name = name;
    this.#node = node;
    this.#feature = feature;
    this.#leaves = leaves;
  }

  get isAtEnd(): boolean {
    return [...this.#leaves.values()].every((leaf) => leaf.isAtEnd);
  }

  async skip(rows: number): Promise<void> {
    for (const leaf of this.#leaves.values()) await leaf.skip(rows);
  }

  /** The values of the next rows. */
  async take(rows: number): Promise<Column> {
    if (!this.#node) return new Array(rows).fill(null);
    const data = new Map<LeafNode, LeafData>();
    for (const [leaf, reader] of this.#leaves) data.set(leaf, await reader.take(rows));
    const column = assembleColumn(this.#node, this.#feature, (leaf) => data.get(leaf)!);
    if (column.length !== rows) throw new Error(`it has ${column.length} values in ${rows} rows`);
    return column;
  }
}
