const PER_DOUBLING = 8;
const MIN_MS = 2 ** -10;
const BUCKETS = PER_DOUBLING * 40;

/** Durations from 1 µs to 12 days in buckets 9 % wide: any percentile to within 9 %, in 2.5 KB of memory. */
export class DurationHistogram {
  readonly #buckets = new Float64Array(BUCKETS);
  #count = 0;
  maxMs = 0;

  add(durationMs: number): void {
    const at =
      durationMs <= MIN_MS ? 0 : Math.min(BUCKETS - 1, Math.floor(Math.log2(durationMs / MIN_MS) * PER_DOUBLING));
    this.#buckets[at] = this.#buckets[at]! + 1;
    this.#count++;
    if (durationMs > this.maxMs) this.maxMs = durationMs;
  }

  /** The duration in milliseconds that a share (0 to 1) of the items did not exceed; 0 when no item ran. */
  percentile(share: number): number {
    let left = Math.ceil(share * this.#count);
    if (left === 0) return 0;
    for (let at = 0; at < BUCKETS; at++) {
      left -= this.#buckets[at]!;
      if (left <= 0) return Math.min(this.maxMs, MIN_MS * 2 ** ((at + 1) / PER_DOUBLING));
    }
    return this.maxMs;
  }
}
