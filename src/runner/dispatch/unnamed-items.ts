import type { AdaptiveLimit, Refusal } from "./adaptive-limit.js";

/** While the scope asks to wait, single items are tried after this time, then after twice of it, and so on. */
const PROBE_AFTER_MS = 250;
const MAX_PROBE_MS = 4000;
/** So many refusals in a row, and nothing more is started until the end of the wait. */
const MANY = 4;
const WINDOW_MS = 250;
const WINDOW_ITEMS = 8;
/** In so many windows after one another the scope has refused items although its limit was kept. */
const WINDOWS = 4;
const NOT_ITS_ITEMS = 0.25;
const ITS_ITEMS = 0.9;

/**
 * Items that have not named a scope, while the run has heard of one scope only. They are taken to be of that scope, until the
 * outcomes show that many are not: while the scope asks to wait, items get through; or its limit does not reduce the refusals.
 */
export class UnnamedItems {
  /** The first refusal of the wait that lasts: when that request was made. */
  #waitFromMs = 0;
  #probeMs = Number.POSITIVE_INFINITY;
  #probeDelayMs = PROBE_AFTER_MS;
  /** How many may run while the scope asks to wait. 0: only probes. */
  #open = 0;
  #refusedInRow = 0;
  #window = { fromMs: 0, accepted: 0, refused: 0 };
  #windows = 0;
  #areFree = false;

  /** @param pausedUntilMs the end of the wait before this refusal */
  refused({ nowMs, startedMs }: Refusal, pausedUntilMs: number): void {
    this.#window.refused++;
    this.#judge(nowMs);
    if (nowMs >= pausedUntilMs) {
      this.#waitFromMs = startedMs;
      this.#open = 0;
      this.#refusedInRow = 0;
      this.#probeMs = nowMs + this.#probeDelayMs;
      return;
    }
    this.#open = ++this.#refusedInRow >= MANY ? 0 : Math.ceil(this.#open / 2);
  }

  accepted(startedMs: number, nowMs: number): void {
    this.#window.accepted++;
    this.#judge(nowMs);
    if (startedMs < this.#waitFromMs) return;
    this.#refusedInRow = 0;
    this.#probeDelayMs = PROBE_AFTER_MS;
    this.#open++;
  }

  #judge(nowMs: number): void {
    const { fromMs, accepted, refused } = this.#window;
    const count = accepted + refused;
    if (nowMs - fromMs < WINDOW_MS || count < WINDOW_ITEMS) return;
    const share = refused / count;
    this.#windows = share >= NOT_ITS_ITEMS && share < ITS_ITEMS ? this.#windows + 1 : 0;
    if (share >= ITS_ITEMS) this.#areFree = false;
    else if (this.#windows >= WINDOWS) this.#areFree = true;
    this.#window = { fromMs: nowMs, accepted: 0, refused: 0 };
  }

  /** @param inFlight all items in flight  @param named those of them that had named the scope */
  allowance(limit: AdaptiveLimit, nowMs: number, inFlight: number, named: number): number {
    if (this.#areFree) return Number.POSITIVE_INFINITY;
    if (nowMs >= limit.pausedUntilMs) return limit.allowance(nowMs, inFlight);
    if (this.#open === 0) return nowMs >= this.#probeMs ? 1 : 0;
    return limit.isMeasured ? limit.allowance(nowMs, inFlight) : Math.max(0, this.#open - (inFlight - named));
  }

  started(limit: AdaptiveLimit, nowMs: number): void {
    if (nowMs >= limit.pausedUntilMs || this.#open > 0) return;
    this.#probeDelayMs = Math.min(MAX_PROBE_MS, 2 * this.#probeDelayMs);
    this.#probeMs = nowMs + this.#probeDelayMs;
  }

  /** When one more may start while the scope asks to wait. */
  nextMs(limit: AdaptiveLimit, nowMs: number): number {
    if (this.#open === 0) return this.#probeMs;
    return limit.isMeasured ? limit.nextMs(nowMs) : Number.POSITIVE_INFINITY;
  }
}
