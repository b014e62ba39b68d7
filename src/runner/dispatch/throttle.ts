/** `--rate`: how many items may start in a time. */
export class Throttle {
  readonly #perMs: number;
  readonly #maxTokens: number;
  #tokens: number;
  #tokensAtMs: number;

  constructor(rate: { perSecond: number } | undefined, nowMs: number) {
    this.#perMs = rate ? rate.perSecond / 1000 : Number.POSITIVE_INFINITY;
    // At most the items of a tenth of a second start at once, to avoid bursts.
    this.#maxTokens = rate ? Math.max(1, rate.perSecond / 10) : Number.POSITIVE_INFINITY;
    this.#tokens = rate ? 1 : Number.POSITIVE_INFINITY;
    this.#tokensAtMs = nowMs;
  }

  get isActive(): boolean {
    return this.#perMs !== Number.POSITIVE_INFINITY;
  }

  /** How many items may start now. */
  allowance(nowMs: number): number {
    this.#refill(nowMs);
    return Math.floor(this.#tokens);
  }

  started(count: number): void {
    if (this.isActive) this.#tokens -= count;
  }

  /** When one more item may start; Infinity when one may start now. */
  nextMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? Number.POSITIVE_INFINITY : nowMs + (1 - this.#tokens) / this.#perMs;
  }

  #refill(nowMs: number): void {
    if (!this.isActive) return;
    this.#tokens = Math.min(this.#maxTokens, this.#tokens + (nowMs - this.#tokensAtMs) * this.#perMs);
    this.#tokensAtMs = nowMs;
  }
}
