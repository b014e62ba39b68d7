/**
 * Limits how many items may run, below the number of slots: by `--rate`, and by the `RetryAfterError` of a service. Such an
 * error pauses its scope and halves the limit; each full round of successes raises the limit by one.
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
    // At most the items of a tenth of a second start at once, to avoid bursts.
    this.#maxTokens = rate ? Math.max(1, rate.perSecond / 10) : Number.POSITIVE_INFINITY;
    this.#tokens = rate ? 1 : Number.POSITIVE_INFINITY;
    this.#tokensAtMs = nowMs;
  }

  /** While a limit is active, workers get no items in advance. */
  get tight(): boolean {
    return this.#limit < this.#slots || this.#perMs !== Number.POSITIVE_INFINITY;
  }

  /** How many more items may start, given how many are in flight. */
  allowance(inFlight: number, nowMs: number): number {
    if (nowMs < this.#pausedUntilMs) return 0;
    if (!this.tight) return Number.POSITIVE_INFINITY;
    this.#refill(nowMs);
    return Math.max(0, Math.min(Math.floor(this.#tokens), this.#limit - inFlight));
  }

  started(count: number): void {
    if (this.#perMs !== Number.POSITIVE_INFINITY) this.#tokens -= count;
  }

  /** When the answer may change; Infinity when only a settled item can change it. */
  nextMs(nowMs: number): number {
    if (nowMs < this.#pausedUntilMs) return this.#pausedUntilMs;
    if (this.#perMs === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    this.#refill(nowMs);
    return this.#tokens >= 1 ? Number.POSITIVE_INFINITY : nowMs + (1 - this.#tokens) / this.#perMs;
  }

  /** A service asked to wait. Returns when the item may be retried. */
  pause(scope: string | undefined, delayMs: number, nowMs: number): number {
    const until = nowMs + delayMs;
    if (scope === undefined) this.#pausedUntilMs = Math.max(this.#pausedUntilMs, until);
    else this.#scopes.set(scope, Math.max(this.#scopes.get(scope) ?? 0, until));
    if (nowMs >= this.#halvedUntilMs) {
      // Items already in flight fail for the same reason: the limit is halved once for all of them.
      this.#limit = Math.max(1, Math.floor(this.#limit / 2));
      this.#halvedUntilMs = until;
      this.#successes = 0;
    }
    return scope === undefined ? this.#pausedUntilMs : this.#scopes.get(scope)!;
  }

  /** The end of the scope's pause; 0 when it is not paused. */
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
