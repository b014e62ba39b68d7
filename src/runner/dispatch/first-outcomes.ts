import { ItemChunk } from "../plan/item-chunk.js";
import type { ItemRef } from "./in-flight.js";
import type { OutgoingItems } from "./outgoing-items.js";
import type { OutstandingChunks } from "./outstanding-chunks.js";

/** The first outcome of an item counts, whichever node it is from. Later ones are counted and dropped. */
export class FirstOutcomes {
  readonly #out: OutstandingChunks;
  readonly #outgoing: OutgoingItems;
  #late = 0;

  constructor(out: OutstandingChunks, outgoing: OutgoingItems) {
    this.#out = out;
    this.#outgoing = outgoing;
  }

  /** Takes out the item that has settled; undefined where it had an outcome already. */
  take(chunk: number, index: number): ItemRef | undefined {
    const ref = this.#out.take(chunk, index) ?? this.#takeLost(chunk, index);
    if (!ref) this.#late++;
    return ref;
  }

  /** A node that was taken for lost reports first: the item is not run again, or what another node makes of it comes late. */
  #takeLost(chunk: number, index: number): ItemRef | undefined {
    const item = this.#out.takeLost(chunk, index);
    if (!item) return undefined;
    this.#outgoing.remove(item);
    return { chunk: new ItemChunk([item]), index: 0 };
  }

  get warning(): string | undefined {
    if (this.#late === 0) return undefined;
    return `${this.#late} outcomes came a second time, from nodes that were out of reach; they were dropped`;
  }
}
