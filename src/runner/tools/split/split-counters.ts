import type { PassedOver } from "../../../data/files/walk.js";
import { shardName } from "./settings.js";

const MAX_SHOWN = 20;

export interface ShardCount {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
}

/** Counts what became of the files, in bounded memory. */
export class SplitCounters {
  /** Put into their shards now; in a dry run, what would be. */
  placed = 0;
  /** In their shards before. */
  there = 0;
  /** Planned once, and now neither in the input nor in its shard: removed by another program. */
  gone = 0;
  readonly failed: { count: number; first: { key: string; why: string }[] } = { count: 0, first: [] };
  readonly #files: number[] = [];
  readonly #bytes: number[] = [];
  readonly #passedOver = new Map<PassedOver, { count: number; first: string }>();

  add(shard: number, bytes: number): void {
    this.#files[shard] = (this.#files[shard] ?? 0) + 1;
    this.#bytes[shard] = (this.#bytes[shard] ?? 0) + bytes;
  }

  fail(key: string, why: string): void {
    this.failed.count++;
    if (this.failed.first.length < MAX_SHOWN) this.failed.first.push({ key, why });
  }

  passOver(relPath: string, why: PassedOver): void {
    const known = this.#passedOver.get(why);
    if (known) known.count++;
    else this.#passedOver.set(why, { count: 1, first: relPath });
  }

  get passedOver(): readonly { readonly why: PassedOver; readonly count: number; readonly first: string }[] {
    return [...this.#passedOver].map(([why, some]) => ({ why, ...some }));
  }

  shards(count: number): ShardCount[] {
    return Array.from({ length: count }, (_, index) => ({
      name: shardName(index, count),
      files: this.#files[index] ?? 0,
      bytes: this.#bytes[index] ?? 0,
    }));
  }
}
