/**
 * Items that were in flight when the process of a run crashed. One of them may have crashed it, so they go first, in workers
 * whose crash ends no other process; after that the run goes on with the workers that it was asked to use.
 */
export class Suspects {
  readonly #pending: Set<string>;
  readonly #onOver: (allTried: boolean) => void;
  #patience: number;

  /** @param onOver called once: when all of them have settled, or when they seem not to be in this run's input */
  constructor(keys: ReadonlySet<string>, onOver: (allTried: boolean) => void) {
    this.#pending = new Set(keys);
    this.#onOver = onOver;
    // The suspects were next in the plan, so they are among its first items; unless the input has changed.
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
