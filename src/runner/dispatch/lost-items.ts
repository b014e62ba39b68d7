import type { PendingItem } from "../../contracts/chunk.js";

/** An item in a queue or at a node: its chunk, and its index there. */
interface Place {
  readonly chunk: number;
  readonly index: number;
}

interface LostItem {
  readonly item: PendingItem;
  /** Where nodes may still report it. */
  readonly before: Place[];
  /** Where it is now; undefined while it waits to be sent again. */
  now: Place | undefined;
}

/**
 * Items whose node was taken for lost, until they settle. The node may be out of reach only: if it reports an item before
 * another node does, that outcome counts.
 */
export class LostItems {
  readonly #items = new Map<PendingItem, LostItem>();
  readonly #byPlace = new Map<string, LostItem>();

  /** The item was at this place. */
  lost(item: PendingItem, at: Place): void {
    const found = this.#items.get(item) ?? { item, before: [], now: undefined };
    found.before.push(at);
    found.now = undefined;
    this.#items.set(item, found);
    this.#byPlace.set(nameOf(at), found);
  }

  sentAgain(item: PendingItem, now: Place): void {
    const found = this.#items.get(item);
    if (found) found.now = now;
  }

  /** The item has come back and waits. */
  returned(item: PendingItem): void {
    const found = this.#items.get(item);
    if (found) found.now = undefined;
  }

  settled(item: PendingItem): void {
    const found = this.#items.get(item);
    if (!found) return;
    this.#items.delete(item);
    for (const place of found.before) this.#byPlace.delete(nameOf(place));
  }

  /** The item that was at this place, if it has not settled. */
  find(at: Place): Readonly<Pick<LostItem, "item" | "now">> | undefined {
    return this.#byPlace.get(nameOf(at));
  }
}

const nameOf = ({ chunk, index }: Place): string => `${chunk} ${index}`;
