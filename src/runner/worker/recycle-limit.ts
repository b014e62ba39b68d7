import { getHeapStatistics } from "node:v8";
import { isMainThread } from "node:worker_threads";
import type { WorkerSetup } from "../../contracts/wire.js";

const LOOK_EVERY_MS = 100;

/** How far a worker is from making room for a fresh one: items begun, and memory, looked at now and then. */
export class RecycleLimit {
  readonly #afterItems: number;
  readonly #bytes: number;
  #items = 0;
  #lookedMs = 0;
  isReached = false;

  constructor({ afterItems, bytes }: NonNullable<WorkerSetup["recycle"]>) {
    this.#afterItems = afterItems ?? Number.POSITIVE_INFINITY;
    this.#bytes = bytes ?? Number.POSITIVE_INFINITY;
  }

  /** An item has begun. Answers once: why it is to be the last one. */
  begun(): string | undefined {
    return ++this.#items >= this.#afterItems ? this.#wornOut(`after ${this.#items} items`) : undefined;
  }

  /** An item is through. Answers once: why no other may begin. */
  settled(nowMs: number): string | undefined {
    if (this.#bytes === Number.POSITIVE_INFINITY || nowMs - this.#lookedMs < LOOK_EVERY_MS) return undefined;
    this.#lookedMs = nowMs;
    const bytes = memoryOfWorker();
    if (bytes < this.#bytes) return undefined;
    return this.#wornOut(`at ${Math.round(bytes / 1e6)} MB after ${this.#items} items`);
  }

  #wornOut(why: string): string | undefined {
    if (this.isReached) return undefined;
    this.isReached = true;
    return why;
  }
}

/** Of this process, or of this thread alone: its heap and what hangs on it. */
function memoryOfWorker(): number {
  if (isMainThread) return process.memoryUsage.rss();
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
