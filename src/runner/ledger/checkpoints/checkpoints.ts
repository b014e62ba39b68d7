import { monotonicMs } from "../../../base/clock.js";
import type { CheckpointLine } from "../lines.js";
import { type Syncing, syncFileSystems } from "./sync-file-systems.js";

/** What checkpoints need of a shard. */
interface CheckpointedShard {
  /** Flushes the ledger. @returns how many of its bytes are recorded; 0 where there is nothing to checkpoint */
  noteRecorded(): number;
  /** Writes the checkpoint, and waits until it is on disk itself. */
  checkpoint(checkpoint: CheckpointLine): Promise<void>;
}

interface CheckpointsOptions {
  readonly shards: readonly CheckpointedShard[];
  /** Where outputs and ledgers lie. */
  readonly dirs: readonly string[];
  /** Writes to the log of the run. */
  readonly note: (message: string) => void;
}

interface FinalCheckpoint {
  /** Earlier runs wait for a checkpoint too: it is worth a wait, however short this run was. */
  readonly owed: boolean;
  /** What the last checkpoint of a shard says besides, for nothing is published after it. */
  readonly says: (shard: number) => Pick<CheckpointLine, "end" | "settled">;
  readonly onWait: () => void;
}

/** Changed by tests alone. */
export const checkpointTimes = {
  /** From one checkpoint to the next. */
  everyMs: 10_000,
  /** A run that was over sooner is not worth a wait at the end. */
  worthMs: 5000,
  /** The longest wait at the end, and after how much of it a message says so. */
  waitMs: 10_000,
  tellAfterMs: 2000,
};

/** After so many failures in a row no more syncs are tried. */
const TRIES = 3;

/**
 * Every few seconds, runs `sync` beside the work and then writes into each ledger, as a checkpoint, how far the disk has come
 * (see `unsynced.ts`). Without a `sync` command there are no checkpoints: after a power loss more is redone.
 */
export class Checkpoints implements Disposable {
  readonly #options: CheckpointsOptions;
  /** By shard: a checkpoint covers its ledger up to this byte. */
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

  /** The last checkpoint of the run, where it is worth a wait of a few seconds. */
  async finish({ owed, says, onWait }: FinalCheckpoint): Promise<void> {
    clearInterval(this.#timer);
    if (!owed && monotonicMs() - this.#startedMs < checkpointTimes.worthMs) return this[Symbol.dispose]();
    const tell = setTimeout(onWait, checkpointTimes.tellAfterMs);
    let limit: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      this.#giveUp = resolve;
      limit = setTimeout(resolve, checkpointTimes.waitMs);
    });
    // A checkpoint that is being written began too early for what was recorded since.
    await Promise.race([enough, this.#pending.then(() => (this.#over ? undefined : this.#checkpoint(says)))]);
    clearTimeout(tell);
    clearTimeout(limit);
    this[Symbol.dispose]();
  }

  /** Waits no longer, and writes no more checkpoints. */
  [Symbol.dispose](): void {
    this.#over = true;
    clearInterval(this.#timer);
    this.#syncing?.abandon();
    this.#giveUp();
  }

  /** With `says` it is the last one, which is written even where nothing was recorded since the one before. */
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
    // Where nothing but the checkpoint itself was recorded, no other one has to cover it.
    this.#covered[number] = coversAll ? shard.noteRecorded() : checkpoint.upto;
    try {
      await written;
    } catch (error) {
      // Outputs are synced all the same; should the line be lost, more is redone.
      this.#options.note((error as Error).message);
    }
  }

  #failed(why: string): void {
    this.#failures++;
    if (this.#failures === 1 || this.#failures === TRIES)
      this.#options.note(
        `no checkpoint: ${why}${this.#failures === TRIES ? "; no more are tried. After a power loss, results of this run are made again" : ""}`,
      );
  }
}
