import { PermanentError, RetryAfterError } from "kagurazaka";

/** Who was sent away waits in the coordinator, which must not come to hold the whole list. */
const MAX_AWAY = 10_000;

/** Sends items away until a host wants to be asked again, and knows how long each has waited by now. */
export class Patience {
  readonly #maxWaitMs: number;
  readonly #waitedMs = new Map<string, number>();

  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs;
  }

  /** Whether one more may be sent away; else it waits where it is. */
  get hasRoom(): boolean {
    return this.#waitedMs.size < MAX_AWAY;
  }

  /** What an item is to throw. Waiting costs no retry, so it is bounded here. */
  sendAway(key: string, host: string, ms: number, why: string): Error {
    const waited = (this.#waitedMs.get(key) ?? 0) + ms;
    const seconds = Math.ceil(ms / 1000);
    if (waited > this.#maxWaitMs) {
      return new PermanentError(`${why}; to wait ${seconds} s more would be longer than --max_wait`);
    }
    this.#waitedMs.set(key, waited);
    return new RetryAfterError(ms, host, `${why}; asked to wait ${seconds} s`);
  }

  /** It came to an end, good or bad. */
  forget(key: string): void {
    this.#waitedMs.delete(key);
  }
}
