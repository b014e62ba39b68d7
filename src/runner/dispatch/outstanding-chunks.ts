import type { ChunkMessage } from "../../contracts/fleet.js";
import { encodeChunk } from "../plan/chunk-message.js";
import { InFlight, type ItemRef } from "./in-flight.js";
import type { ChunkSlice } from "./queues.js";

interface SentChunk {
  readonly firstSeq: number;
  readonly count: number;
  readonly isolated: boolean;
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

  get chunks(): number {
    return this.#chunks.size;
  }

  /** Characters of their JSON. */
  get chars(): number {
    return this.#chars;
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

  /** Indices of the items of a chunk that are not settled. */
  openIn(chunk: number): number[] {
    const count = this.#chunks.get(chunk)?.count ?? 0;
    return Array.from({ length: count }, (_, i) => i).filter((index) => this.find(chunk, index) !== undefined);
  }

  /** Undefined when the item is settled or the number is unknown: numbers come from other machines. */
  find(chunk: number, index: number): ItemRef | undefined {
    const sent = this.#chunks.get(chunk);
    const isIn = sent && Number.isInteger(index) && index >= 0 && index < sent.count;
    return isIn ? this.#items.find(sent.firstSeq + index) : undefined;
  }

  /** Takes an item out; undefined as for `find`. */
  take(chunk: number, index: number): ItemRef | undefined {
    const ref = this.find(chunk, index);
    if (!ref) return undefined;
    const sent = this.#chunks.get(chunk)!;
    this.#items.take(sent.firstSeq + index);
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
