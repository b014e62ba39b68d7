/**
 * How much may run now, besides what there are slots for: `--rate`, and what services asked for with `RetryAfterError`.
 * A request for patience pauses its scope and halves the items at once; every full round of successes gives one back.
 */
export class Throttle {
  readonly #slots: number;
  readonly #perMs: number;
  readonly #maxTokens: number;
  readonly #scopes = new Map<string, number>();
  #tokens: number;
  #tokensAtMs: number;
  #pausedUntilMs = 0;
  #limit: number;
  #successes = 0;
  #halvedUntilMs = 0;

  constructor(slots: number, rate: { perSecond: number } | undefined, nowMs: number) {
    this.#slots = slots;
    this.#limit = slots;
    this.#perMs = rate ? rate.perSecond / 1000 : Number.POSITIVE_INFINITY;
    // At most a tenth of a second's worth at once, so that a rate is a rate and no burst.
    this.#maxTokens = rate ? Math.max(1, rate.perSecond / 10) : Number.POSITIVE_INFINITY;
    this.#tokens = rate ? 1 : Number.POSITIVE_INFINITY;
    this.#tokensAtMs = nowMs;
  }

  /** Nothing may wait in workers ahead of its turn. */
  get tight(): boolean {
    return this.#limit < this.#slots || this.#perMs !== Number.POSITIVE_INFINITY;
  }

  /** How many more items may start, given how many are under way. */
  allowance(inFlight: number, nowMs: number): number {
    if (nowMs < this.#pausedUntilMs) return 0;
    if (!this.tight) return Number.POSITIVE_INFINITY;
    this.#refill(nowMs);
    return Math.max(0, Math.min(Math.floor(this.#tokens), this.#limit - inFlight));
  }

  started(count: number): void {
    if (this.#perMs !== Number.POSITIVE_INFINITY) this.#tokens -= count;
  }

  /** When asking again makes sense; Infinity when only a settled item can change the answer. */
  nextMs(nowMs: number): number {
    if (nowMs < this.#pausedUntilMs) return this.#pausedUntilMs;
    if (this.#perMs === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    this.#refill(nowMs);
    return this.#tokens >= 1 ? Number.POSITIVE_INFINITY : nowMs + (1 - this.#tokens) / this.#perMs;
  }

  /** A service asked for patience. Returns when the item may try again. */
  pause(scope: string | undefined, delayMs: number, nowMs: number): number {
    const until = nowMs + delayMs;
    if (scope === undefined) this.#pausedUntilMs = Math.max(this.#pausedUntilMs, until);
    else this.#scopes.set(scope, Math.max(this.#scopes.get(scope) ?? 0, until));
    if (nowMs >= this.#halvedUntilMs) {
      // Items under way when the service gave up answer alike: one halving for all of them.
      this.#limit = Math.max(1, Math.floor(this.#limit / 2));
      this.#halvedUntilMs = until;
      this.#successes = 0;
    }
    return scope === undefined ? this.#pausedUntilMs : this.#scopes.get(scope)!;
  }

  /** Until when the scope is paused; 0 when it is not. */
  scopePausedUntilMs(scope: string | undefined): number {
    return scope === undefined ? 0 : (this.#scopes.get(scope) ?? 0);
  }

  succeeded(count: number): void {
    if (this.#limit >= this.#slots) return;
    this.#successes += count;
    while (this.#limit < this.#slots && this.#successes >= this.#limit) {
      this.#successes -= this.#limit;
      this.#limit++;
    }
  }

  #refill(nowMs: number): void {
    if (this.#perMs === Number.POSITIVE_INFINITY) return;
    this.#tokens = Math.min(this.#maxTokens, this.#tokens + (nowMs - this.#tokensAtMs) * this.#perMs);
    this.#tokensAtMs = nowMs;
  }
}
