import type { Chunk, ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import { ItemChunk } from "../plan/item-chunk.js";

/** The part of a chunk that one message carries. */
export interface ChunkSlice {
  readonly chunk: Chunk;
  readonly from: number;
  readonly to: number;
}

/** Chunks in the order of the plan, sliced when they are taken; returned items go to the front. */
export class ReadyQueue {
  #chunks: { readonly chunk: Chunk; next: number }[] = [];
  #front: PendingItem[] = [];
  /** Items waiting. */
  length = 0;
  /** Characters of their JSON. */
  chars = 0;

  push(chunk: Chunk): void {
    this.#chunks.push({ chunk, next: 0 });
    this.length += chunk.count;
    for (let i = 0; i < chunk.count; i++) this.chars += chunk.sizeAt(i);
  }

  unshift(item: PendingItem): void {
    this.#front.push(item);
    this.length++;
    this.chars += item.json.length;
  }

  /** Takes out one of the returned items, if it is still here. */
  remove(item: PendingItem): void {
    const at = this.#front.indexOf(item);
    if (at < 0) return;
    this.#front.splice(at, 1);
    this.length--;
    this.chars -= item.json.length;
  }

  /** At most `maxItems` and about `maxSize` characters, at least one item; undefined when nothing waits. */
  take(maxItems: number, maxSize: number): ChunkSlice | undefined {
    const slice = this.#front.length > 0 ? this.#takeFront(maxItems) : this.#takeChunk(maxItems, maxSize);
    if (!slice) return undefined;
    this.length -= slice.to - slice.from;
    for (let i = slice.from; i < slice.to; i++) this.chars -= slice.chunk.sizeAt(i);
    return slice;
  }

  /** The items at the front that share one header. */
  #takeFront(maxItems: number): ChunkSlice {
    const { header } = this.#front.at(-1)!;
    let count = 1;
    while (count < maxItems && this.#front.at(-1 - count)?.header === header) count++;
    const items = this.#front.splice(-count).reverse();
    return { chunk: new ItemChunk(items), from: 0, to: items.length };
  }

  #takeChunk(maxItems: number, maxSize: number): ChunkSlice | undefined {
    const head = this.#chunks[0];
    if (!head) return undefined;
    const { chunk, next: from } = head;
    const most = Math.min(chunk.count, from + maxItems);
    let to = from;
    for (let size = 0; to < most && size < maxSize; to++) size += chunk.sizeAt(to);
    head.next = to;
    if (to === chunk.count) this.#chunks.shift();
    return { chunk, from, to };
  }

  /** Takes out all items with these headers. */
  drain(wanted: (header: ChunkHeader) => boolean): PendingItem[] {
    const taken = this.#front.filter(({ header }) => wanted(header)).reverse();
    this.#front = this.#front.filter(({ header }) => !wanted(header));
    for (const { chunk, next } of this.#chunks)
      if (wanted(chunk.header)) for (let i = next; i < chunk.count; i++) taken.push(chunk.itemAt(i));
    this.#chunks = this.#chunks.filter(({ chunk }) => !wanted(chunk.header));
    this.length -= taken.length;
    for (const { json } of taken) this.chars -= json.length;
    return taken;
  }
}
