import { readFileSync } from "node:fs";
import { KagurazakaError } from "../../base/errors.js";
import { hashUnit, shardOf } from "../../base/hash.js";
import { createRandom } from "../../base/random.js";
import type { RunSettings } from "../../contracts/run-config.js";
import type { Candidate } from "./candidates.js";

/** Which filter leaves an item out, or null when all let it in. Pure in the key. */
export type KeyFilter = (key: string) => string | null;

/** `--shard`, `--only`, `--keys` and `--sample P%`, in that order. */
export async function createKeyFilter(settings: RunSettings): Promise<KeyFilter> {
  const filters: KeyFilter[] = [];
  const { shard, only, keys, sample } = settings;
  if (shard)
    filters.push((key) =>
      shardOf(key, shard.of) === shard.index ? null : `--shard: it is in part ${shardOf(key, shard.of)} of ${shard.of}`,
    );
  if (only.length > 0) {
    const matches = (await loadGlobs())(only);
    filters.push((key) => (matches(key) ? null : "--only: no pattern matches"));
  }
  if (keys !== undefined) {
    const wanted = readKeys(keys);
    filters.push((key) => (wanted.has(key) ? null : `--keys: not in ${keys}`));
  }
  if (sample && "percent" in sample) {
    const share = sample.percent / 100;
    filters.push((key) => (hashUnit(key) < share ? null : `--sample: not in the ${sample.percent}%`));
  }
  if (filters.length === 0) return () => null;
  return (key) => {
    for (const filter of filters) {
      const out = filter(key);
      if (out !== null) return out;
    }
    return null;
  };
}

/** Globs over keys, as `--only` means them: `*` stays in a directory, `**` does not, a leading dot is a plain letter. */
export async function loadGlobs(): Promise<(patterns: readonly string[]) => (key: string) => boolean> {
  const { default: picomatch } = await import("picomatch");
  return (patterns) => picomatch([...patterns], { dot: true });
}

export function readKeys(path: string): ReadonlySet<string> {
  try {
    return new Set(
      readFileSync(path, "utf8")
        .split(/\r?\n/)
        .filter((line) => line !== ""),
    );
  } catch (cause) {
    throw new KagurazakaError("bad-value", `cannot read the keys from ${path}: ${(cause as Error).message}`, {
      where: "--keys",
      cause,
    });
  }
}

/** `--sample N`: the N items with the smallest hashes of their keys, so that N + 1 contains N. Emits only when all were seen. */
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

/** `--shuffle`: each item changes places within a window of 64k, the same way for the same seed. */
export class ShuffleWindow {
  readonly #random: () => number;
  readonly #window: Candidate[] = [];

  constructor(seed: number) {
    this.#random = createRandom(`shuffle ${seed}`);
  }

  /** Takes one in; gives another out once the window is full. */
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
