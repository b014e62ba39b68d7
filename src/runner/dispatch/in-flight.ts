import type { Chunk } from "../../contracts/chunk.js";
import type { ChunkSlice } from "./queues.js";

/** The position of an item: its slice and its index there. */
export interface ItemRef {
  readonly chunk: Chunk;
  readonly index: number;
}

interface Sent extends ChunkSlice {
  readonly firstSeq: number;
  /** 1 for each item that was taken out. */
  readonly gone: Uint8Array;
  left: number;
}

/**
 * The items in flight at one worker, by sequence number. They stay in the slices they were sent in. Numbers inside a slice
 * have no gaps, so a message costs one entry and an item one byte.
 */
export class InFlight {
  readonly #slices: Sent[] = [];
  size = 0;

  add(firstSeq: number, slice: ChunkSlice): void {
    const count = slice.to - slice.from;
    this.#slices.push({ ...slice, firstSeq, gone: new Uint8Array(count), left: count });
    this.size += count;
  }

  /** Takes an item out; undefined when it is not in flight here. */
  take(seq: number): ItemRef | undefined {
    const at = this.#find(seq);
    const sent = this.#slices[at];
    if (sent === undefined || sent.gone[seq - sent.firstSeq] !== 0) return undefined;
    sent.gone[seq - sent.firstSeq] = 1;
    this.size--;
    if (--sent.left === 0) this.#slices.splice(at, 1);
    return { chunk: sent.chunk, index: sent.from + seq - sent.firstSeq };
  }

  /** Undefined when the item is not in flight here. */
  find(seq: number): ItemRef | undefined {
    const sent = this.#slices[this.#find(seq)];
    if (sent === undefined || sent.gone[seq - sent.firstSeq] !== 0) return undefined;
    return { chunk: sent.chunk, index: sent.from + seq - sent.firstSeq };
  }

  keyOf(seq: number): string | undefined {
    const ref = this.find(seq);
    return ref?.chunk.keyAt(ref.index);
  }

  /** The packed keys of every slice that has items left; keys of items already taken out are included. */
  packedKeys(): string[] {
    return this.#slices.map(({ chunk, from, to }) => chunk.keysText(from, to));
  }

  /** In the order they were sent. */
  seqs(): number[] {
    return this.#slices.flatMap(({ firstSeq, gone }) =>
      Array.from(gone, (left, i) => (left === 0 ? firstSeq + i : -1)).filter((seq) => seq >= 0),
    );
  }

  /** The last slice that begins at or before `seq`. */
  #find(seq: number): number {
    let low = 0;
    let high = this.#slices.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#slices[middle]!.firstSeq <= seq) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
