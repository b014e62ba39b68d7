const WORK_PER_SLOT_MS = 100;
const MAX_PER_SLOT = 2048;
const MAX_PER_WORKER = 8192;

/**
 * Items to keep at one worker: about 100 ms of work per slot, so that a message costs little beside the work and nothing
 * is far away when a worker dies. Items slower than that never wait behind one another.
 * @param meanMs smoothed time of one item; undefined before the first has settled
 */
export function itemsPerWorker(meanMs: number | undefined, slots: number): number {
  if (meanMs === undefined) return slots;
  const perSlot = Math.min(MAX_PER_SLOT, Math.max(1, Math.ceil(WORK_PER_SLOT_MS / Math.max(meanMs, 1e-3))));
  // Exactly one item a slot would leave the slot idle for the length of a message; below 100 ms that begins to count.
  return Math.min(Math.max(MAX_PER_WORKER, slots), (meanMs < WORK_PER_SLOT_MS ? Math.max(2, perSlot) : 1) * slots);
}

/**
 * How much of what is ready goes to one hungry worker. While more is being listed, the hungry ones share evenly; once the
 * list is at its end, each takes half of an even share (guided self-scheduling), so that the last items spread over all.
 */
export function shareOf(ready: number, workers: number, hungry: number, listEnded: boolean): number {
  return Math.max(1, Math.ceil(ready / (listEnded ? 2 * workers : hungry)));
}

/** Smoothed time of one item, from batches of settled ones. */
export class MeanDuration {
  #meanMs: number | undefined;

  get ms(): number | undefined {
    return this.#meanMs;
  }

  add(totalMs: number, count: number): void {
    if (count === 0) return;
    const batchMs = totalMs / count;
    const weight = Math.min(0.5, 0.1 * count);
    this.#meanMs = this.#meanMs === undefined ? batchMs : this.#meanMs * (1 - weight) + batchMs * weight;
  }
}
