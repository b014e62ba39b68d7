import type { RedisConnections } from "./redis.js";

interface Waiting {
  readonly text: string;
  readonly resolve: () => void;
}

/**
 * Entries on their way into a stream, in order. While Redis cannot be reached, is full, or has lost the stream, they wait here;
 * they are as many as this process has items. The coordinator makes the stream: after the end of the run it stays away.
 */
export class Outbox {
  readonly #redis: RedisConnections;
  readonly #key: string;
  readonly #maxLength: number | undefined;
  readonly #onWarning: ((message: string) => void) | undefined;
  #entries: Waiting[] = [];
  #isSending = false;
  #isAbandoned = false;

  /** @param maxLength the stream's bound: older entries are removed */
  constructor(redis: RedisConnections, key: string, maxLength?: number, onWarning?: (message: string) => void) {
    this.#redis = redis;
    this.#key = key;
    this.#maxLength = maxLength;
    this.#onWarning = onWarning;
  }

  get waiting(): number {
    return this.#entries.length;
  }

  /** Resolves once Redis has the entry, or once it is given up. */
  add(text: string): Promise<void> {
    if (this.#isAbandoned) return Promise.resolve();
    const added = new Promise<void>((resolve) => this.#entries.push({ text, resolve }));
    if (!this.#isSending) {
      this.#isSending = true;
      setImmediate(() => void this.#send());
    }
    return added;
  }

  /** Redis is lost: nobody waits for it any more. */
  abandon(): void {
    this.#isAbandoned = true;
    for (const { resolve } of this.#entries.splice(0)) resolve();
  }

  async #send(): Promise<void> {
    while (this.#entries.length > 0) {
      const batch = this.#entries;
      this.#entries = [];
      await this.#write(batch);
      for (const { resolve } of batch) resolve();
    }
    this.#isSending = false;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    let rest = batch;
    while (rest.length > 0 && !this.#isAbandoned) {
      const pipeline = this.#redis.main.pipeline();
      for (const { text } of rest)
        if (this.#maxLength === undefined) pipeline.xadd(this.#key, "NOMKSTREAM", "*", "m", text);
        else pipeline.xadd(this.#key, "NOMKSTREAM", "MAXLEN", "~", this.#maxLength, "*", "m", text);
      const results = await pipeline.exec().catch(() => null);
      const failed = results === null ? 0 : results.findIndex(([error, id]) => error !== null || id === null);
      if (results !== null && failed < 0) return;
      const why = results?.[failed]?.[0]?.message;
      if (why !== undefined && rest === batch)
        this.#onWarning?.(`Redis does not take outcomes, which are kept and sent again: ${why}`);
      // All from the first failure on, so that they keep their order; an entry that comes twice is ignored.
      rest = rest.slice(Math.max(0, failed));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
