import type { Envelope, Parcel } from "../plan/parcel.js";
import type { Load } from "./queues.js";

/** Where an item stands. */
export interface Place {
  readonly parcel: Parcel;
  readonly index: number;
}

interface Sent extends Load {
  readonly firstSeq: number;
  /** 1 per item that has left. */
  readonly gone: Uint8Array;
  left: number;
}

/**
 * Items at one worker by sequence number, kept in the loads they were sent in: numbers run on without a gap inside a load,
 * so a message costs one entry here and an item one byte.
 */
export class InFlight {
  readonly #loads: Sent[] = [];
  size = 0;

  add(firstSeq: number, load: Load): void {
    const count = load.to - load.from;
    this.#loads.push({ ...load, firstSeq, gone: new Uint8Array(count), left: count });
    this.size += count;
  }

  /** Takes an item out; undefined when it is not here (any more). */
  take(seq: number): Place | undefined {
    const at = this.#find(seq);
    const sent = this.#loads[at];
    if (sent === undefined || sent.gone[seq - sent.firstSeq] !== 0) return undefined;
    sent.gone[seq - sent.firstSeq] = 1;
    this.size--;
    if (--sent.left === 0) this.#loads.splice(at, 1);
    return { parcel: sent.parcel, index: sent.from + seq - sent.firstSeq };
  }

  keyOf(seq: number): string | undefined {
    const sent = this.#loads[this.#find(seq)];
    if (sent === undefined || sent.gone[seq - sent.firstSeq] !== 0) return undefined;
    return sent.parcel.keyAt(sent.from + seq - sent.firstSeq);
  }

  /** Keys of every load of which something is left, as they were packed: some of them may have gone. */
  packedKeys(): string[] {
    return this.#loads.map(({ parcel, from, to }) => parcel.keysText(from, to));
  }

  /** In the order they were sent. */
  seqs(): number[] {
    return this.#loads.flatMap(({ firstSeq, gone }) =>
      Array.from(gone, (left, i) => (left === 0 ? firstSeq + i : -1)).filter((seq) => seq >= 0),
    );
  }

  /** The last load that begins at or before `seq`. */
  #find(seq: number): number {
    let low = 0;
    let high = this.#loads.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#loads[middle]!.firstSeq <= seq) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

export const envelopeAt = ({ parcel, index }: Place): Envelope => parcel.envelopeAt(index);
