import type { KagurazakaError } from "../../base/errors.js";
import type { WorkerExit } from "../../contracts/backbone.js";
import type { ExecutorShape } from "../../contracts/wire.js";
import { workersCrash } from "./errors.js";
import type { WorkerPool } from "./worker-pool.js";

/** So many workers may exit before any has become ready; and so many in a row later, with no item settled in between. */
const MAX_FIRST_EXITS = 3;
const MAX_FUTILE_EXITS = 20;
/** After a second futile exit its replacement waits, after a third twice as long, and so on. */
const REPLACE_AFTER_MS = 20;
const MAX_REPLACE_AFTER_MS = 2000;

/** How many workers there are: as many as are useful, and no endless replacements of workers that exit for nothing. */
export class Staffing {
  readonly #pool: WorkerPool;
  readonly #shapes: readonly ExecutorShape[];
  #wasAnyReady = false;
  /** Exits in a row of workers that were starting or idle. */
  #futileExits = 0;
  #notBeforeMs = 0;

  /** @param shapes one for each worker there may be */
  constructor(pool: WorkerPool, shapes: readonly ExecutorShape[]) {
    this.#pool = pool;
    this.#shapes = shapes;
  }

  /** When workers are added without a message; Infinity when none waits for its time. */
  nextMs(nowMs: number): number {
    return this.#notBeforeMs > nowMs ? this.#notBeforeMs : Number.POSITIVE_INFINITY;
  }

  /** Adds workers, until there are so many. */
  fill(useful: number, nowMs: number): void {
    if (nowMs < this.#notBeforeMs) return;
    for (const shape of this.#shapes) {
      const { workers } = this.#pool;
      if (workers.length >= useful) return;
      if (!workers.some((worker) => worker.shape === shape)) this.#pool.add(shape);
    }
  }

  onReady(): void {
    this.#wasAnyReady = true;
  }

  onSettled(): void {
    this.#futileExits = 0;
  }

  /** A worker has exited that was starting or idle. Returns the error that ends the run, if it was one too many. */
  onFutileExit(exit: WorkerExit, wasStarting: boolean, nowMs: number): KagurazakaError | undefined {
    const most = this.#wasAnyReady ? MAX_FUTILE_EXITS : MAX_FIRST_EXITS;
    if (++this.#futileExits >= most) return workersCrash(most, wasStarting, exit);
    const delayMs = Math.min(MAX_REPLACE_AFTER_MS, REPLACE_AFTER_MS * 2 ** (this.#futileExits - 2));
    if (this.#futileExits > 1) this.#notBeforeMs = nowMs + delayMs;
    return undefined;
  }
}
