import { monotonicMs } from "../../base/clock.js";

const WARN_AFTER_MS = 30 * 60_000;

/** Reports a stall once: no item has settled or shown progress for too long. */
export class StallClock {
  readonly #limitMs: number | undefined;
  #lastSignMs = monotonicMs();
  #hasTold = false;

  /** @param limitMs `--stall` */
  constructor(limitMs: number | undefined) {
    this.#limitMs = limitMs;
  }

  /** An item has settled, or there is none to settle. */
  reset(): void {
    this.#lastSignMs = monotonicMs();
    this.#hasTold = false;
  }

  /** Milliseconds without a sign of progress. @param lastProgressMs when an item last called `ctx.progress()` */
  quietMs(lastProgressMs = 0): number {
    return monotonicMs() - Math.max(this.#lastSignMs, lastProgressMs);
  }

  /** Nothing to report (`fine`, also after a report), a warning, or a stall that ends the run. */
  judge(quietMs: number): "fine" | "warn" | "stalled" {
    const isStalled = this.#limitMs !== undefined && quietMs > this.#limitMs;
    if (this.#hasTold || !(isStalled || quietMs > WARN_AFTER_MS)) return "fine";
    this.#hasTold = true;
    return isStalled ? "stalled" : "warn";
  }
}
