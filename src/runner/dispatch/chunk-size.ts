const WORK_PER_SLOT_MS = 100;
const MAX_PER_SLOT = 2048;
const MAX_PER_WORKER = 8192;

/**
 * How many items one worker gets in advance: about 100 ms of work per slot, so that messages cost little compared with the
 * work and a crash loses little. Items slower than that are sent one per slot, so none waits behind another.
 * @param meanMs smoothed time of one item; undefined before the first has settled
 */
export function itemsPerWorker(meanMs: number | undefined, slots: number): number {
  if (meanMs === undefined) return slots;
  const perSlot = Math.min(MAX_PER_SLOT, Math.max(1, Math.ceil(WORK_PER_SLOT_MS / Math.max(meanMs, 1e-3))));
  // With one item per slot, the slot is idle while a message travels; for items below 100 ms that matters.
  return Math.min(Math.max(MAX_PER_WORKER, slots), (meanMs < WORK_PER_SLOT_MS ? Math.max(2, perSlot) : 1) * slots);
}

/**
 * How many ready items go to one hungry worker. While the plan lists more items, hungry workers share evenly. At the end of
 * the list each takes half of an even share (guided self-scheduling), so that the last items spread over all workers.
 */
export function shareOf(ready: number, workers: number, hungry: number, listEnded: boolean): number {
  return Math.max(1, Math.ceil(ready / (listEnded ? 2 * workers : hungry)));
}

/** The smoothed time of one item, from groups of settled items. */
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
