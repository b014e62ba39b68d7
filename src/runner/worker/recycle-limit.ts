import { getHeapStatistics } from "node:v8";
import { isMainThread } from "node:worker_threads";
import type { WorkerSetup } from "../../contracts/wire.js";

const LOOK_EVERY_MS = 100;

/** The limit after which a worker is replaced: started items, and memory, which is checked now and then. */
export class RecycleLimit {
  /** Why the worker is replaced, once the limit is reached. */
  reached: string | undefined;
  readonly #afterItems: number;
  readonly #bytes: number;
  #items = 0;
  #lookedMs = 0;

  constructor({ afterItems, bytes }: NonNullable<WorkerSetup["recycle"]>) {
    this.#afterItems = afterItems ?? Number.POSITIVE_INFINITY;
    this.#bytes = bytes ?? Number.POSITIVE_INFINITY;
  }

  /** Counts a started item. True once: it is the last one. */
  begun(): boolean {
    return ++this.#items >= this.#afterItems && this.#reach(`after ${this.#items} items`);
  }

  /** Checks memory after an item has settled. True once: no other may start. */
  settled(nowMs: number): boolean {
    if (this.#bytes === Number.POSITIVE_INFINITY || nowMs - this.#lookedMs < LOOK_EVERY_MS) return false;
    this.#lookedMs = nowMs;
    const bytes = memoryOfWorker();
    return bytes >= this.#bytes && this.#reach(`at ${Math.round(bytes / 1e6)} MB after ${this.#items} items`);
  }

  #reach(why: string): boolean {
    if (this.reached !== undefined) return false;
    this.reached = why;
    return true;
  }
}

/** Memory of this process, or of this thread alone: its heap and external memory. */
function memoryOfWorker(): number {
  if (isMainThread) return process.memoryUsage.rss();
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
