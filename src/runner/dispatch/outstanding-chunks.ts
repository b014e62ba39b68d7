import type { PendingItem } from "../../contracts/chunk.js";
import type { ChunkMessage } from "../../contracts/fleet.js";
import { encodeChunk } from "../plan/chunk-message.js";
import { InFlight, type ItemRef } from "./in-flight.js";
import type { ChunkSlice } from "./queues.js";

/** The limit of what is in the queue and at nodes at a time, in characters of JSON. */
const WINDOW_CHARS = 32 * 1024 * 1024;
const WINDOW_ITEMS = 65_536;
/** Few, so that their size follows the duration of items; nodes with many long items at once get more. */
const WINDOW_CHUNKS = 128;
/** The limit before the first item has settled: a broken task fails few items before the run stops. */
const FIRST_WINDOW_ITEMS = 1024;

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
  #nextSeq = 0;
  #nextId = 0;
  #chars = 0;

  /** Items. */
  get size(): number {
    return this.#items.size;
  }

  /** @param hasSettled an item of the run has settled. @param atNodes items that nodes have */
  hasRoom(hasSettled: boolean, atNodes: number): boolean {
    const items = hasSettled ? WINDOW_ITEMS : FIRST_WINDOW_ITEMS;
    const chunks = WINDOW_CHUNKS + 2 * atNodes;
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

  /** Takes out items of a chunk, by default all that are not settled, in their order. */
  takeItems(chunk: number, indices?: readonly number[]): PendingItem[] {
    const count = this.#chunks.get(chunk)?.count ?? 0;
    return (indices ?? Array.from({ length: count }, (_, i) => i)).flatMap((index) => {
      const ref = this.take(chunk, index);
      return ref ? [ref.chunk.itemAt(ref.index)] : [];
    });
  }

  /** A node begins this item of an isolated chunk, and runs nothing else. */
  beginAlone(chunk: number, index: number): void {
    const sent = this.#chunks.get(chunk);
    if (sent?.isolated) sent.alone = index;
  }

  /** Takes out the item that was begun alone, if it is not settled. */
  takeAlone(chunk: number): PendingItem | undefined {
    const index = this.#chunks.get(chunk)?.alone;
    return index === undefined ? undefined : this.takeItems(chunk, [index])[0];
  }

  /** Undefined when the item is settled or the number is unknown: numbers come from other machines. */
  find(chunk: number, index: number): ItemRef | undefined {
    const sent = this.#chunks.get(chunk);
    return sent && isIndex(index, sent) ? this.#items.find(sent.firstSeq + index) : undefined;
  }

  /** Takes an item out; undefined as for `find`. */
  take(chunk: number, index: number): ItemRef | undefined {
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
