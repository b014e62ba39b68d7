import type { AdaptiveLimit, Refusal } from "./adaptive-limit.js";

/** After a refusal the next single item starts after this time, after two in a row twice of it, and so on. */
const PROBE_AFTER_MS = 100;
const MAX_PROBE_MS = 4000;

/**
 * Items that have not named a scope, while the run has heard of one scope only, which their text does not show. They are taken
 * to be of that scope: they start as fast as it accepts them. While it asks to wait, single items are still tried, one after
 * the other: items that have nothing to do with the scope get through.
 */
export class UnnamedItems {
  #waitFromMs = 0;
  #waitToMs = 0;
  #probeMs = 0;
  #probeDelayMs = PROBE_AFTER_MS;
  #isProbing = false;

  /** Returns false for a single item that was tried during the wait: its refusal says nothing about the rate. */
  refused({ nowMs, startedMs, delayMs }: Refusal): boolean {
    if (nowMs < this.#waitToMs && startedMs > this.#waitFromMs) {
      this.#isProbing = false;
      this.#probeDelayMs = Math.min(MAX_PROBE_MS, 2 * this.#probeDelayMs);
      this.#probeMs = nowMs + this.#probeDelayMs;
      return false;
    }
    if (nowMs >= this.#waitToMs) {
      this.#waitFromMs = nowMs;
      this.#isProbing = false;
      this.#probeMs = nowMs + this.#probeDelayMs;
    }
    // Several are refused at once, when the wait begins.
    this.#waitToMs = Math.max(this.#waitToMs, nowMs + delayMs);
    return true;
  }

  accepted(startedMs: number, nowMs: number): void {
    if (nowMs >= this.#waitToMs || startedMs <= this.#waitFromMs) return;
    this.#isProbing = false;
    this.#probeDelayMs = PROBE_AFTER_MS;
    this.#probeMs = nowMs;
  }

  started(nowMs: number): void {
    this.#isProbing = nowMs < this.#waitToMs;
  }

  allowance(limit: AdaptiveLimit, nowMs: number, inFlight: number): number {
    if (nowMs >= this.#waitToMs) return limit.allowance(nowMs, inFlight);
    return !this.#isProbing && nowMs >= this.#probeMs ? 1 : 0;
  }

  /** When one more may start, unless one settles earlier. */
  nextMs(limit: AdaptiveLimit, nowMs: number): number {
    if (nowMs >= this.#waitToMs) return limit.nextMs(nowMs);
    return this.#isProbing ? this.#waitToMs : Math.min(this.#probeMs, this.#waitToMs);
  }
}
