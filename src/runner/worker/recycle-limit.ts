import { getHeapStatistics } from "node:v8";
import { isMainThread } from "node:worker_threads";
import type { WorkerSetup } from "../../contracts/wire.js";

const LOOK_EVERY_MS = 100;

/** How far a worker is from being replaced: items begun, and memory, looked at now and then. */
export class RecycleLimit {
  /** Why the worker is to be replaced, once it is. */
  reached: string | undefined;
  readonly #afterItems: number;
  readonly #bytes: number;
  #items = 0;
  #lookedMs = 0;

  constructor({ afterItems, bytes }: NonNullable<WorkerSetup["recycle"]>) {
    this.#afterItems = afterItems ?? Number.POSITIVE_INFINITY;
    this.#bytes = bytes ?? Number.POSITIVE_INFINITY;
  }

  /** An item has begun. True once: it is to be the last one. */
  begun(): boolean {
    return ++this.#items >= this.#afterItems && this.#reach(`after ${this.#items} items`);
  }

  /** An item is through. True once: no other may begin. */
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

/** Of this process, or of this thread alone: its heap and what hangs on it. */
function memoryOfWorker(): number {
  if (isMainThread) return process.memoryUsage.rss();
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
