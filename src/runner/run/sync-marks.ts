import { monotonicMs } from "../../base/clock.js";
import type { SyncLine } from "../ledger/index.js";
import { type Syncing, syncFileSystems } from "./sync-file-systems.js";

/** A shard, as far as marks go. */
export interface Markable {
  /** Gives the system all that is recorded. @returns how far that reaches in its ledger; 0 where there is nothing to mark */
  noteRecorded(): number;
  /** Writes the mark, and waits until it is on disk itself. */
  mark(mark: SyncLine): Promise<void>;
}

export interface SyncMarksOptions {
  readonly shards: readonly Markable[];
  /** Where outputs and ledgers lie. */
  readonly dirs: readonly string[];
  /** For the log of the run. */
  readonly note: (message: string) => void;
}

export interface LastMark {
  /** There is more to gain than the last seconds of this run. */
  readonly owed: boolean;
  /** Nothing is published any more: of each shard, what its last mark says besides. */
  readonly says: (shard: number) => Pick<SyncLine, "end" | "settled">;
  readonly onWait: () => void;
}

/** Changed by tests alone. */
export const markTimes = {
  /** From one mark to the next. */
  everyMs: 10_000,
  /** A run that was over sooner is not worth a wait at the end. */
  worthMs: 5000,
  /** The longest wait at the end, and from when on people are told. */
  waitMs: 10_000,
  tellAfterMs: 2000,
};

/** A command that cannot do it once may be out of luck; this often, it cannot. */
const TRIES = 3;

/**
 * Every few seconds of work, asks the system to write all of it out and marks in the ledgers how far the disk has come (see
 * `ledger/doubt`). Nothing waits for it. Without a `sync` command there are no marks: after a power loss more is redone.
 */
export class SyncMarks implements Disposable {
  readonly #options: SyncMarksOptions;
  /** By shard: everything before this byte of its ledger is marked. */
  readonly #marked: number[];
  readonly #timer: NodeJS.Timeout;
  readonly #startedMs = monotonicMs();
  #failures = 0;
  #syncing: Syncing | undefined;
  #isMarking = false;
  #pending: Promise<void> = Promise.resolve();
  #over = false;
  #giveUp: () => void = () => {};

  constructor(options: SyncMarksOptions) {
    this.#options = options;
    this.#marked = options.shards.map(() => 0);
    this.#timer = setInterval(() => {
      if (this.#isMarking) return;
      this.#isMarking = true;
      this.#pending = this.#mark().finally(() => {
        this.#isMarking = false;
      });
    }, markTimes.everyMs);
    this.#timer.unref();
  }

  /** The last mark of the run, where it is worth a wait of a few seconds. */
  async finish({ owed, says, onWait }: LastMark): Promise<void> {
    clearInterval(this.#timer);
    if (!owed && monotonicMs() - this.#startedMs < markTimes.worthMs) return this[Symbol.dispose]();
    const tell = setTimeout(onWait, markTimes.tellAfterMs);
    let limit: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      this.#giveUp = resolve;
      limit = setTimeout(resolve, markTimes.waitMs);
    });
    // One that is under way began too early for what was recorded since.
    await Promise.race([enough, this.#pending.then(() => (this.#over ? undefined : this.#mark(says)))]);
    clearTimeout(tell);
    clearTimeout(limit);
    this[Symbol.dispose]();
  }

  /** Waits no longer, and marks nothing more. */
  [Symbol.dispose](): void {
    this.#over = true;
    clearInterval(this.#timer);
    this.#syncing?.abandon();
    this.#giveUp();
  }

  /** `says`: it is the last one, which has something to say even where nothing was recorded since the one before. */
  async #mark(says?: LastMark["says"]): Promise<void> {
    const { shards } = this.#options;
    if (this.#failures >= TRIES) return;
    const noted = shards.map((shard) => shard.noteRecorded());
    const isNew = (upto: number, i: number): boolean => upto > (says ? 0 : this.#marked[i]!);
    if (!noted.some(isNew)) return;
    const sync = new Date().toISOString();
    const failure = await this.#sync();
    if (this.#over) return;
    if (failure !== undefined) return this.#failed(failure);
    this.#failures = 0;
    const write = (upto: number, i: number) => this.#write(i, { sync, upto, ...says?.(i) });
    await Promise.all(noted.map((upto, i) => (isNew(upto, i) ? write(upto, i) : undefined)));
  }

  async #sync(): Promise<string | undefined> {
    try {
      this.#syncing = syncFileSystems(this.#options.dirs);
      return await this.#syncing.ended;
    } catch (error) {
      return (error as Error).message;
    } finally {
      this.#syncing = undefined;
    }
  }

  async #write(number: number, mark: SyncLine): Promise<void> {
    const shard = this.#options.shards[number]!;
    const isAllMarked = shard.noteRecorded() === mark.upto;
    const written = shard.mark(mark);
    // Where nothing was recorded but the mark: it needs none itself.
    this.#marked[number] = isAllMarked ? shard.noteRecorded() : mark.upto;
    try {
      await written;
    } catch (error) {
      // What it says is true all the same; should it be lost, more is redone.
      this.#options.note((error as Error).message);
    }
  }

  #failed(why: string): void {
    this.#failures++;
    if (this.#failures === 1 || this.#failures === TRIES)
      this.#options.note(
        `no sync mark: ${why}${this.#failures === TRIES ? "; no more are tried. After a power loss, results of this run are made again" : ""}`,
      );
  }
}
