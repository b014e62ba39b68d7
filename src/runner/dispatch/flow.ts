const BUCKET_MS = 25;
const BUCKETS = 41;
/** How far back a `Flow` remembers. */
export const FLOW_MS = BUCKET_MS * (BUCKETS - 1);

/** Counts events of the last second, by when they happened. */
export class Flow {
  readonly #counts = new Float64Array(BUCKETS);
  #last = 0;

  /** @param count negative takes earlier events back */
  add(count: number, nowMs: number): void {
    this.#forget(nowMs);
    this.#counts[this.#last % BUCKETS]! += count;
  }

  /** The events from this time to now. */
  since(fromMs: number, nowMs: number): number {
    this.#forget(nowMs);
    const first = Math.max(0, Math.floor(fromMs / BUCKET_MS), this.#last - BUCKETS + 1);
    let sum = 0;
    for (let bucket = first; bucket <= this.#last; bucket++) sum += this.#counts[bucket % BUCKETS]!;
    return sum;
  }

  clear(): void {
    this.#counts.fill(0);
  }

  #forget(nowMs: number): void {
    const now = Math.floor(nowMs / BUCKET_MS);
    const first = Math.max(0, this.#last + 1, now - BUCKETS + 1);
    for (let bucket = first; bucket <= now; bucket++) this.#counts[bucket % BUCKETS] = 0;
    this.#last = Math.max(this.#last, now);
  }
}
