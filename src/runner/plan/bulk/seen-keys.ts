import { fingerprintHigh, fingerprintLow, hashText } from "../../../base/hash.js";
import { FingerprintTable } from "../../ledger/fingerprint-table.js";
import { openSpilledPrints, type SpilledPrints } from "./spilled-prints.js";

/** Counts how often each key was added, for any number of keys in nearly constant memory. */
export interface SeenKeys extends AsyncDisposable {
  /** 1 the first time, then 2, 3 … Exact but for collisions of 64-bit fingerprints (10M keys: 3 in a million runs). */
  add(key: string): number;
  /** The same for the hash of a key. */
  addHash(hash: Uint32Array): number;
  /** The same for many hashes of four cells each. Returns a count for each; null: all were added for the first time. */
  addHashes(hashes: Uint32Array, count: number): Uint32Array | null;
}

interface SeenKeysRequest {
  /** Directory of the spill file; both are made once keys are spilled. */
  readonly spillDir: string;
  /** How many keys are kept in memory before they are spilled. @defaultValue 786432: a table of 8 MB, three quarters full */
  readonly recentKeys?: number;
}

const RECENT_KEYS = 786_432;
const FIRST_SLOTS = 1024;

/**
 *     add ──► recent: a table in memory, full? ──► sorted, appended to the file as one run
 *        └──► layers of Bloom filters over the runs: "not here" without a read, "perhaps" costs one read per run
 *
 * Keys that were added more than once are counted in a table of their own.
 */
export function openSeenKeys(request: SeenKeysRequest): SeenKeys {
  const maxRecent = request.recentKeys ?? RECENT_KEYS;
  const recent = new RecentPrints(maxRecent);
  const repeats = new FingerprintTable();
  let spilled: SpilledPrints | undefined;

  const countRepeat = (low: number, high: number): number => {
    const count = Math.max(repeats.find(low, high), 1) + 1;
    repeats.set(low, high, count);
    return count;
  };

  const addHash = (hash: Uint32Array): number => addPrint(fingerprintLow(hash), fingerprintHigh(hash));

  const addPrint = (firstLane: number, high: number): number => {
    // A slot with two zeros is free.
    const low = firstLane || (high === 0 ? 1 : 0);
    if (recent.has(low, high)) return countRepeat(low, high);
    if (spilled?.mayHave(low, high) && (repeats.find(low, high) > 0 || spilled.has(low, high)))
      return countRepeat(low, high);
    recent.add(low, high);
    if (recent.size >= maxRecent) {
      spilled ??= openSpilledPrints({ dir: request.spillDir, runPrints: maxRecent });
      spilled.append(recent.sorted());
      recent.clear();
    }
    return 1;
  };

  return {
    add: (key) => addHash(hashText(key)),
    addHash,
    addHashes(hashes, count) {
      let times: Uint32Array | null = null;
      // Most of the time goes to cache misses: touching all slots first lets the CPU load them in parallel.
      recent.touch(hashes, count);
      if (spilled) recent.touched ^= spilled.touch(hashes, count);
      for (let i = 0; i < count; i++) {
        const first = hashes[4 * i]!;
        const came = addPrint((hashes[4 * i + 1]! - first) >>> 0, (hashes[4 * i + 2]! - first) >>> 0);
        if (came === 1) continue;
        times ??= new Uint32Array(count).fill(1);
        times[i] = came;
      }
      return times;
    },
    async [Symbol.asyncDispose]() {
      spilled?.close();
    },
  };
}

/** A set of fingerprints with open addressing, growing to a given size. 64-bit numbers, so that they can be sorted in place. */
class RecentPrints {
  readonly #maxSlots: number;
  #prints: BigUint64Array<ArrayBuffer>;
  /** The same memory: [low, high] per slot, on a little-endian machine. */
  #lanes: Uint32Array;
  size = 0;
  /** A sum without meaning: it keeps the compiler from dropping the reads of `touch`. */
  touched = 0;

  constructor(maxPrints: number) {
    this.#maxSlots = 2 ** Math.ceil(Math.log2(Math.max(2, (maxPrints * 4) / 3)));
    this.#prints = new BigUint64Array(Math.min(FIRST_SLOTS, this.#maxSlots));
    this.#lanes = new Uint32Array(this.#prints.buffer);
  }

  has(low: number, high: number): boolean {
    const slot = this.#slotOf(low, high);
    return this.#lanes[slot] !== 0 || this.#lanes[slot + 1] !== 0;
  }

  /** Brings the slots of many hashes into the CPU cache. */
  touch(hashes: Uint32Array, count: number): void {
    const lanes = this.#lanes;
    const mask = lanes.length - 2;
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= lanes[((hashes[4 * i + 1]! - hashes[4 * i]!) << 1) & mask]!;
    this.touched = sum;
  }

  /** Requires that the fingerprint is not in the set. */
  add(low: number, high: number): void {
    if (this.size >= this.#prints.length * 0.75 && this.#prints.length < this.#maxSlots) this.#grow();
    const slot = this.#slotOf(low, high);
    this.#lanes[slot] = low;
    this.#lanes[slot + 1] = high;
    this.size++;
  }

  /** All fingerprints in ascending order. Destroys the set, which must be cleared next. */
  sorted(): BigUint64Array<ArrayBuffer> {
    const lanes = this.#lanes;
    let to = 0;
    for (let from = 0; from < lanes.length; from += 2) {
      if (lanes[from] === 0 && lanes[from + 1] === 0) continue;
      lanes[to] = lanes[from]!;
      lanes[to + 1] = lanes[from + 1]!;
      to += 2;
    }
    return this.#prints.subarray(0, to / 2).sort();
  }

  clear(): void {
    this.#prints.fill(0n);
    this.size = 0;
  }

  #slotOf(low: number, high: number): number {
    const lanes = this.#lanes;
    const mask = lanes.length - 2;
    let slot = (low << 1) & mask;
    for (;;) {
      const slotLow = lanes[slot];
      const slotHigh = lanes[slot + 1];
      if ((slotLow === low && slotHigh === high) || (slotLow === 0 && slotHigh === 0)) return slot;
      slot = (slot + 2) & mask;
    }
  }

  #grow(): void {
    const before = this.#lanes;
    this.#prints = new BigUint64Array(Math.min(this.#prints.length * 4, this.#maxSlots));
    this.#lanes = new Uint32Array(this.#prints.buffer);
    for (let from = 0; from < before.length; from += 2) {
      if (before[from] === 0 && before[from + 1] === 0) continue;
      const slot = this.#slotOf(before[from]!, before[from + 1]!);
      this.#lanes[slot] = before[from]!;
      this.#lanes[slot + 1] = before[from + 1]!;
    }
  }
}
