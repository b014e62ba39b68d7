import { itemsPerWorker, MeanDuration } from "./chunk-size.js";
import type { WorkerHandle } from "./worker-handle.js";

export const MAX_WORKER_CHARS = 16 * 1024 * 1024;

/** How many items a worker may have, running and in advance. */
export class Credits {
  readonly #mean = new MeanDuration();

  /** Updates the mean duration from one message of outcomes. */
  settled(count: number, totalMs: number): void {
    this.#mean.add(totalMs, count);
  }

  /** 0 as long as no item has settled. */
  get ofOneSlot(): number {
    return this.#mean.ms === undefined ? 0 : itemsPerWorker(this.#mean.ms, 1);
  }

  /** @param tight no items in advance */
  capacity({ slots, shape }: WorkerHandle, tight: boolean): number {
    const least = slots + shape.queue;
    return tight ? least : Math.max(least, itemsPerWorker(this.#mean.ms, slots));
  }

  /** The worker has less than half of its target: messages then carry many items, and no worker runs out of them. */
  isHungry(worker: WorkerHandle, tight: boolean): boolean {
    if (!worker.takesItems || worker.quarantined || worker.chars >= MAX_WORKER_CHARS) return false;
    const capacity = this.capacity(worker, tight);
    // Never fewer than its executor waits for, or it would wait forever.
    const low = Math.max(capacity / 2, worker.slots + worker.shape.queue);
    return worker.inFlight.size < (capacity > 4 * worker.slots ? low : capacity);
  }
}
