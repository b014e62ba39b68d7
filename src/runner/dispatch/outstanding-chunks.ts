import type { PendingItem } from "../../contracts/chunk.js";
import type { ChunkMessage } from "../../contracts/fleet.js";
import { encodeChunk } from "../plan/chunk-message.js";
import { InFlight, type ItemRef } from "./in-flight.js";
import { LostItems } from "./lost-items.js";
import type { ChunkSlice } from "./queues.js";

/** The limit of what is in the queue and at nodes at a time, in characters of JSON. */
const WINDOW_CHARS = 32 * 1024 * 1024;
const WINDOW_ITEMS = 65_536;
/** Few, so that their size follows the duration of items; nodes with many long items at once get more. */
const WINDOW_CHUNKS = 128;
/** The limits before it is known how long items take: a broken task fails few items before the run stops. */
const FIRST_WINDOW_ITEMS = 1024;
const FIRST_WINDOW_CHUNKS = 32;

interface SentChunk {
  readonly firstSeq: number;
  readonly count: number;
  readonly isolated: boolean;
  /** Of an isolated chunk: the item that its node has begun last. */
  alone?: number;
  /** Items of the chunk that are not settled. */
  left: number;
}

/** The chunks in a queue and at nodes, with their items that are not settled yet. */
export class OutstandingChunks {
  /** By sequence number; numbers continue across chunks. */
  readonly #items = new InFlight();
  readonly #chunks = new Map<number, SentChunk>();
  readonly #lost = new LostItems();
  #nextSeq = 0;
  #nextId = 0;
  #chars = 0;

  /** Items. */
  get size(): number {
    return this.#items.size;
  }

  /** @param isMeasured it is known how long items take. @param atNodes items that nodes have */
  hasRoom(isMeasured: boolean, atNodes: number): boolean {
    const items = isMeasured ? WINDOW_ITEMS : FIRST_WINDOW_ITEMS;
    const chunks = (isMeasured ? WINDOW_CHUNKS : FIRST_WINDOW_CHUNKS) + 2 * atNodes;
    return this.#items.size < items && this.#chunks.size < chunks && this.#chars < WINDOW_CHARS;
  }

  add(slice: ChunkSlice, isolated: boolean): ChunkMessage {
    const { chunk, from, to } = slice;
    const id = this.#nextId++;
    const count = to - from;
    for (let i = from; i < to; i++) this.#chars += chunk.sizeAt(i);
    this.#chunks.set(id, { firstSeq: this.#nextSeq, count, isolated, left: count });
    this.#items.add(this.#nextSeq, slice);
    this.#nextSeq += count;
    for (let index = 0; isolated && index < count; index++)
      this.#lost.sentAgain(chunk.itemAt(from + index), { chunk: id, index });
    const message = encodeChunk(id, chunk, from, to);
    return isolated ? { ...message, isolated } : message;
  }

  has(chunk: number): boolean {
    return this.#chunks.has(chunk);
  }

  isIsolated(chunk: number): boolean {
    return this.#chunks.get(chunk)?.isolated === true;
  }

  ids(): Iterable<number> {
    return this.#chunks.keys();
  }

  /** Takes out items of a chunk that are to be sent again, by default all that are not settled, in their order. */
  takeItems(chunk: number, indices?: readonly number[]): PendingItem[] {
    return this.#takeBack(chunk, indices, (item) => this.#lost.returned(item));
  }

  #takeBack(
    chunk: number,
    indices: readonly number[] | undefined,
    onTaken: (item: PendingItem, index: number) => void,
  ): PendingItem[] {
    const count = this.#chunks.get(chunk)?.count ?? 0;
    return (indices ?? Array.from({ length: count }, (_, i) => i)).flatMap((index) => {
      const ref = this.#take(chunk, index);
      if (!ref) return [];
      const item = ref.chunk.itemAt(ref.index);
      onTaken(item, index);
      return [item];
    });
  }

  /** The same for a chunk whose node is lost. It may be out of reach only, and report the items later. */
  lose(chunk: number): PendingItem[] {
    return this.#takeBack(chunk, undefined, (item, index) => this.#lost.lost(item, { chunk, index }));
  }

  /** Takes out an item that was in a lost chunk, wherever it is now; undefined where it has settled. */
  takeLost(chunk: number, index: number): PendingItem | undefined {
    const found = this.#lost.find({ chunk, index });
    if (!found) return undefined;
    const { item, now } = found;
    if (now) this.#take(now.chunk, now.index);
    this.#lost.settled(item);
    return item;
  }

  /** An item that waited to be sent again has settled. */
  settled(item: PendingItem): void {
    this.#lost.settled(item);
  }

  /** A node begins this item of an isolated chunk, and runs nothing else. */
  beginAlone(chunk: number, index: number): void {
    const sent = this.#chunks.get(chunk);
    if (sent?.isolated) sent.alone = index;
  }

  /** Takes out the item that was begun alone, if it is not settled. */
  takeAlone(chunk: number): PendingItem | undefined {
    const index = this.#chunks.get(chunk)?.alone;
    const ref = index === undefined ? undefined : this.take(chunk, index);
    return ref?.chunk.itemAt(ref.index);
  }

  /** Undefined when the item is settled or the number is unknown: numbers come from other machines. */
  find(chunk: number, index: number): ItemRef | undefined {
    const sent = this.#chunks.get(chunk);
    return sent && isIndex(index, sent) ? this.#items.find(sent.firstSeq + index) : undefined;
  }

  /** Takes out an item that has settled; undefined as for `find`. */
  take(chunk: number, index: number): ItemRef | undefined {
    const isolated = this.isIsolated(chunk);
    const ref = this.#take(chunk, index);
    if (ref && isolated) this.#lost.settled(ref.chunk.itemAt(ref.index));
    return ref;
  }

  #take(chunk: number, index: number): ItemRef | undefined {
    const sent = this.#chunks.get(chunk);
    const ref = sent && isIndex(index, sent) ? this.#items.take(sent.firstSeq + index) : undefined;
    if (!sent || !ref) return undefined;
    this.#chars -= ref.chunk.sizeAt(ref.index);
    if (--sent.left === 0) this.#chunks.delete(chunk);
    return ref;
  }

  /** Takes out every item, in the order they were sent. */
  takeAll(): ItemRef[] {
    this.#chunks.clear();
    this.#chars = 0;
    return this.#items.seqs().map((seq) => this.#items.take(seq)!);
  }
}

const isIndex = (index: number, { count }: SentChunk): boolean =>
  Number.isInteger(index) && index >= 0 && index < count;
