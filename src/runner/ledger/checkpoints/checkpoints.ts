import { monotonicMs } from "../../../base/clock.js";
import type { CheckpointLine } from "../lines.js";
import { type Syncing, syncFileSystems } from "./sync-file-systems.js";

/** What checkpoints need from a shard. */
interface CheckpointedShard {
  /** Flushes the ledger. @returns its recorded bytes; 0: nothing to checkpoint */
  noteRecorded(): number;
  /** Writes the checkpoint line and waits until it is on disk. */
  checkpoint(checkpoint: CheckpointLine): Promise<void>;
}

interface CheckpointsOptions {
  readonly shards: readonly CheckpointedShard[];
  /** The directories of outputs and ledgers. */
  readonly dirs: readonly string[];
  /** Writes to the log of the run. */
  readonly note: (message: string) => void;
}

interface FinalCheckpoint {
  /** Earlier runs need a checkpoint too, so even a short run waits for one. */
  readonly owed: boolean;
  /** Additional fields of a shard's final checkpoint, after which nothing is published. */
  readonly says: (shard: number) => Pick<CheckpointLine, "end" | "settled">;
  readonly onWait: () => void;
}

/** Only tests change these. */
export const checkpointTimes = {
  /** The time between two checkpoints. */
  everyMs: 10_000,
  /** A shorter run does not wait for a checkpoint at its end. */
  worthMs: 5000,
  /** The longest wait at the end of a run, and the time after which a message reports it. */
  waitMs: 10_000,
  tellAfterMs: 2000,
};

/** After this many failures in a row no more syncs are tried. */
const TRIES = 3;
const GAVE_UP = `; gave up after ${TRIES} attempts. After a power loss, results of this run are redone`;

/**
 * Every few seconds, runs `sync` in the background and then writes a checkpoint into each ledger (see `unsynced.ts`). Without
 * a `sync` command there are no checkpoints: after a power loss more is redone.
 */
export class Checkpoints implements Disposable {
  readonly #options: CheckpointsOptions;
  /** By shard: the byte up to which a checkpoint covers its ledger. */
  readonly #covered: number[];
  readonly #timer: NodeJS.Timeout;
  readonly #startedMs = monotonicMs();
  #failures = 0;
  #syncing: Syncing | undefined;
  #isWriting = false;
  #pending: Promise<void> = Promise.resolve();
  #over = false;
  #giveUp: () => void = () => {};

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#covered = options.shards.map(() => 0);
    this.#timer = setInterval(() => {
      if (this.#isWriting) return;
      this.#isWriting = true;
      this.#pending = this.#checkpoint().finally(() => {
        this.#isWriting = false;
      });
    }, checkpointTimes.everyMs);
    this.#timer.unref();
  }

  /** Writes the final checkpoint of the run, unless the run was too short for it. */
  async finish({ owed, says, onWait }: FinalCheckpoint): Promise<void> {
    clearInterval(this.#timer);
    if (!owed && monotonicMs() - this.#startedMs < checkpointTimes.worthMs) return this[Symbol.dispose]();
    const tell = setTimeout(onWait, checkpointTimes.tellAfterMs);
    let limit: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      this.#giveUp = resolve;
      limit = setTimeout(resolve, checkpointTimes.waitMs);
    });
    // A running sync began before the latest results were recorded, so another one must follow.
    await Promise.race([enough, this.#pending.then(() => (this.#over ? undefined : this.#checkpoint(says)))]);
    clearTimeout(tell);
    clearTimeout(limit);
    this[Symbol.dispose]();
  }

  /** Stops waiting, and writes no more checkpoints. */
  [Symbol.dispose](): void {
    this.#over = true;
    clearInterval(this.#timer);
    this.#syncing?.abandon();
    this.#giveUp();
  }

  /** With `says` it is the final checkpoint, which is written even if nothing was recorded since the previous one. */
  async #checkpoint(says?: FinalCheckpoint["says"]): Promise<void> {
    const { shards } = this.#options;
    if (this.#failures >= TRIES) return;
    const noted = shards.map((shard) => shard.noteRecorded());
    const isNew = (upto: number, i: number): boolean => upto > (says ? 0 : this.#covered[i]!);
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

  async #write(number: number, checkpoint: CheckpointLine): Promise<void> {
    const shard = this.#options.shards[number]!;
    const coversAll = shard.noteRecorded() === checkpoint.upto;
    const written = shard.checkpoint(checkpoint);
    // The line of a checkpoint itself needs no further checkpoint.
    this.#covered[number] = coversAll ? shard.noteRecorded() : checkpoint.upto;
    try {
      await written;
    } catch (error) {
      // The outputs are synced anyway; if the line is lost, more is redone.
      this.#options.note((error as Error).message);
    }
  }

  #failed(why: string): void {
    this.#failures++;
    if (this.#failures === 1 || this.#failures === TRIES)
      this.#options.note(`no checkpoint: ${why}${this.#failures === TRIES ? GAVE_UP : ""}`);
  }
}
