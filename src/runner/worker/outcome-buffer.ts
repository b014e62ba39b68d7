import { monotonicMs } from "../../base/clock.js";
import type { WireOutcome } from "../../contracts/wire.js";

const MAX_BUFFERED = 512;
const MAX_AGE_MS = 5;
/** An item this slow gets a message of its own: its outcome must not wait for the next item. */
const SLOW_ITEM_MS = 0.5;
/** How long the outcome of an item that only waited for programs may be buffered. */
const SOON_MS = 3;

/**
 * Buffers outcomes. Those of fast items are sent together, after at most 5 ms. A slow one is sent at once, so that a later
 * crash of the worker does not lose it.
 */
export class OutcomeBuffer {
  readonly #send: (plain: Float64Array, rest: readonly WireOutcome[]) => void;
  readonly #plain = new Float64Array(2 * MAX_BUFFERED);
  #used = 0;
  #rest: WireOutcome[] = [];
  #lastSentMs = monotonicMs();
  #soon: NodeJS.Timeout | undefined;

  constructor(send: (plain: Float64Array, rest: readonly WireOutcome[]) => void) {
    this.#send = send;
  }

  /** The item is done, without a value or reason. */
  addDone(seq: number, durationMs: number, nowMs: number): void {
    this.#plain[this.#used++] = seq;
    this.#plain[this.#used++] = durationMs;
    if (this.#used === this.#plain.length || this.#isDue(durationMs, nowMs)) this.flush();
  }

  /** The item is done and only waited for programs: its outcome may wait for others. */
  addSoon(seq: number, durationMs: number): void {
    this.#plain[this.#used++] = seq;
    this.#plain[this.#used++] = durationMs;
    if (this.#used === this.#plain.length) this.flush();
    else this.#soon ??= setTimeout(() => this.flush(), SOON_MS);
  }

  add(outcome: WireOutcome, nowMs: number): void {
    this.#rest.push(outcome);
    if (this.#rest.length >= MAX_BUFFERED || this.#isDue(outcome.durationMs, nowMs)) this.flush();
  }

  #isDue(durationMs: number, nowMs: number): boolean {
    return durationMs >= SLOW_ITEM_MS || nowMs - this.#lastSentMs >= MAX_AGE_MS;
  }

  flush(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#lastSentMs = monotonicMs();
    if (this.#used === 0 && this.#rest.length === 0) return;
    this.#send(this.#plain.slice(0, this.#used), this.#rest);
    this.#used = 0;
    this.#rest = [];
  }
}
