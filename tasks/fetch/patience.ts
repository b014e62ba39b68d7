import { PermanentError, RetryAfterError } from "kagurazaka";

/** Items that wait do so in the coordinator, which must not come to hold the whole list. */
const MAX_WAITING = 10_000;

/** Puts items off until a host takes requests again, and knows how long each has waited so far. */
export class Patience {
  readonly #maxWaitMs: number;
  readonly #waitedMs = new Map<string, number>();

  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs;
  }

  /** Whether one more item may be put off; else it waits in its worker. */
  get hasRoom(): boolean {
    return this.#waitedMs.size < MAX_WAITING;
  }

  /** The error an item has to throw. Waiting costs no retry, so it is bounded here. */
  putOff(key: string, host: string, ms: number, why: string): Error {
    const waited = (this.#waitedMs.get(key) ?? 0) + ms;
    const seconds = Math.ceil(ms / 1000);
    if (waited > this.#maxWaitMs) {
      return new PermanentError(`${why}; to wait ${seconds} s more would be longer than --max_wait`);
    }
    this.#waitedMs.set(key, waited);
    return new RetryAfterError(ms, host, `${why}; asked to wait ${seconds} s`);
  }

  /** The item has ended, done or failed. */
  forget(key: string): void {
    this.#waitedMs.delete(key);
  }
}
