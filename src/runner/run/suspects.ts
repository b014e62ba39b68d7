/**
 * Items that were at workers when a run died whole. One of them may have killed it, so they go first, in workers whose
 * death takes nobody along; after that the run goes on as it was asked to.
 */
export class Suspects {
  readonly #pending: Set<string>;
  readonly #onCleared: () => void;
  #patience: number;

  /** @param onCleared called once, when all of them have settled or turn out not to be in this run's input */
  constructor(keys: ReadonlySet<string>, onCleared: () => void) {
    this.#pending = new Set(keys);
    this.#onCleared = onCleared;
    // They were the next in the plan, so they are among its first items; unless the input has changed.
    this.#patience = 10_000 + 2 * keys.size;
  }

  settled(key: string): void {
    if (this.#pending.size === 0) return;
    this.#pending.delete(key);
    if (--this.#patience <= 0) this.#pending.clear();
    if (this.#pending.size === 0) this.#onCleared();
  }
}
