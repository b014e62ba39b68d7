import { hashUnit } from "../../base/hash.js";
import { createRandom } from "../../base/random.js";
import type { Candidate } from "./candidates.js";

/** `--sample N`: the N items with the smallest hashes of their keys, so that a larger sample contains a smaller one. A max-heap. */
export class SmallestHashes {
  readonly #size: number;
  readonly #heap: { rank: number; candidate: Candidate }[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  add(candidate: Candidate): void {
    const rank = hashUnit(candidate.key);
    if (this.#heap.length === this.#size) {
      if (this.#size === 0 || rank >= this.#heap[0]!.rank) return;
      this.#heap[0] = { rank, candidate };
      this.#sink();
      return;
    }
    this.#heap.push({ rank, candidate });
    this.#rise();
  }

  drain(): Candidate[] {
    return this.#heap.sort((a, b) => a.rank - b.rank).map(({ candidate }) => candidate);
  }

  #rise(): void {
    const heap = this.#heap;
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.rank >= heap[at]!.rank) return;
      [heap[parent], heap[at]] = [heap[at]!, heap[parent]!];
      at = parent;
    }
  }

  #sink(): void {
    const heap = this.#heap;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      let largest = at;
      if (left < heap.length && heap[left]!.rank > heap[largest]!.rank) largest = left;
      if (left + 1 < heap.length && heap[left + 1]!.rank > heap[largest]!.rank) largest = left + 1;
      if (largest === at) return;
      [heap[largest], heap[at]] = [heap[at]!, heap[largest]!];
      at = largest;
    }
  }
}

const SHUFFLE_WINDOW = 65_536;

/** `--shuffle`: a shuffle within a moving window of 64k items, the same for the same seed. */
export class ShuffleWindow {
  readonly #random: () => number;
  readonly #window: Candidate[] = [];

  constructor(seed: number) {
    this.#random = createRandom(`shuffle ${seed}`);
  }

  /** Puts an item into the window, and takes a random one out once the window is full. */
  exchange(candidate: Candidate): Candidate | undefined {
    if (this.#window.length < SHUFFLE_WINDOW) {
      this.#window.push(candidate);
      return undefined;
    }
    const at = Math.floor(this.#random() * SHUFFLE_WINDOW);
    const out = this.#window[at];
    this.#window[at] = candidate;
    return out;
  }

  drain(): Candidate[] {
    const rest = this.#window;
    for (let i = rest.length - 1; i > 0; i--) {
      const j = Math.floor(this.#random() * (i + 1));
      [rest[i], rest[j]] = [rest[j]!, rest[i]!];
    }
    return rest.splice(0);
  }
}
