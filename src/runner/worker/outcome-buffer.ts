import { monotonicMs } from "../../base/clock.js";
import type { WireOutcome } from "../../contracts/wire.js";

const MAX_BUFFERED = 512;
const MAX_AGE_MS = 5;
/** An item this slow pays for a message of its own: what it did must not wait behind the next one. */
const SLOW_ITEM_MS = 0.5;
/** How long the outcome of an item that only waited for programs may wait for others. */
const SOON_MS = 3;

/**
 * Outcomes on their way out. Fast ones travel together, at most 5 ms old; a slow one leaves at once, so that an item that
 * kills its worker takes nothing finished with it.
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

  /** Done, with nothing to add. */
  addDone(seq: number, durationMs: number, nowMs: number): void {
    this.#plain[this.#used++] = seq;
    this.#plain[this.#used++] = durationMs;
    if (this.#used === this.#plain.length || this.#isDue(durationMs, nowMs)) this.flush();
  }

  /** Done, by programs of its own: this thread has time to send what it says along with others. */
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
