import { KagurazakaError } from "../../../base/errors.js";
import { shardOf } from "../../../base/hash.js";
import type { Rule } from "./settings.js";

/** Decides the shard of each file; called in the order of the walk. */
export interface Assignment {
  /** How many shards there are so far. */
  readonly shards: number;
  /** Counts a file whose shard an earlier plan has decided. */
  decided(shard: number, bytes: number): void;
  assign(key: string, bytes: number): number;
}

export function createAssignment(rule: Rule): Assignment {
  if (rule.kind === "fill") return new Filling(rule.maxFiles ?? Infinity, rule.maxSize ?? Infinity);
  return rule.kind === "lightest" ? new Lightest(rule.shards) : byHash(rule.shards);
}

/** Not by the hash of the key alone, which `--shard i/N` uses: a hard shard would be all in or all out of it. */
function byHash(shards: number): Assignment {
  return { shards, decided: () => {}, assign: (key) => shardOf(`/${key}`, shards) };
}

class Filling implements Assignment {
  shards = 1;
  readonly #maxFiles: number;
  readonly #maxSize: number;
  #files = 0;
  #bytes = 0;

  constructor(maxFiles: number, maxSize: number) {
    this.#maxFiles = maxFiles;
    this.#maxSize = maxSize;
  }

  decided(shard: number, bytes: number): void {
    if (shard < this.shards - 1) return;
    if (shard >= this.shards) this.#open(shard + 1);
    this.#files++;
    this.#bytes += bytes;
  }

  assign(key: string, bytes: number): number {
    if (bytes > this.#maxSize) {
      const hint = "Say a larger --max-size, or leave the file out with --only or --exts.";
      const message = `${key} alone has ${bytes} bytes, more than a shard may have`;
      throw new KagurazakaError("bad-value", message, { where: "--max-size", hint });
    }
    if (this.#files >= this.#maxFiles || this.#bytes + bytes > this.#maxSize) this.#open(this.shards + 1);
    this.#files++;
    this.#bytes += bytes;
    return this.shards - 1;
  }

  #open(shards: number): void {
    this.shards = shards;
    this.#files = 0;
    this.#bytes = 0;
  }
}

/** A binary heap of shards, the lightest on top; of equals, the first. */
class Lightest implements Assignment {
  readonly shards: number;
  readonly #weights: Float64Array;
  readonly #heap: Uint32Array;
  /** Shard → its index in the heap. */
  readonly #positions: Uint32Array;

  constructor(shards: number) {
    this.shards = shards;
    this.#weights = new Float64Array(shards);
    this.#heap = Uint32Array.from({ length: shards }, (_, index) => index);
    this.#positions = this.#heap.slice();
  }

  decided(shard: number, bytes: number): void {
    // An empty file counts, too, or a million of them would all go to one shard.
    this.#weights[shard]! += bytes + 1;
    this.#sink(this.#positions[shard]!);
  }

  assign(_key: string, bytes: number): number {
    const shard = this.#heap[0]!;
    this.decided(shard, bytes);
    return shard;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    for (let at = from; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < this.shards && this.#isLighter(heap[child]!, heap[least]!)) least = child;
      if (least === at) return;
      const [upper, lower] = [heap[least]!, heap[at]!];
      heap[at] = upper;
      heap[least] = lower;
      this.#positions[upper] = at;
      this.#positions[lower] = least;
      at = least;
    }
  }

  #isLighter(a: number, b: number): boolean {
    const difference = this.#weights[a]! - this.#weights[b]!;
    return difference < 0 || (difference === 0 && a < b);
  }
}
