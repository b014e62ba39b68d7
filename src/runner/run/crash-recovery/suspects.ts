/**
 * Items that were at workers when a run died whole. One of them may have killed it, so they go first, in workers whose
 * death takes nobody along; after that the run goes on as it was asked to.
 */
export class Suspects {
  readonly #pending: Set<string>;
  readonly #onOver: (allTried: boolean) => void;
  #patience: number;

  /** @param onOver called once: when all of them have settled, or it seems that they are not in this run's input */
  constructor(keys: ReadonlySet<string>, onOver: (allTried: boolean) => void) {
    this.#pending = new Set(keys);
    this.#onOver = onOver;
    // They were the next in the plan, so they are among its first items; unless the input has changed.
    this.#patience = 10_000 + 2 * keys.size;
  }

  settled(key: string): void {
    if (this.#patience <= 0) return;
    this.#pending.delete(key);
    this.#patience--;
    if (this.#pending.size > 0 && this.#patience > 0) return;
    this.#patience = 0;
    this.#onOver(this.#pending.size === 0);
  }
}
