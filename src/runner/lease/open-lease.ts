import { join } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import type { Partition } from "../../contracts/partition.js";
import { Beat, type HeartbeatThread } from "./beat.js";
import {
  createGeneration,
  freeGeneration,
  highestGeneration,
  type LeaseRecord,
  leasesIn,
  stillHolds,
  sweepBelow,
} from "./generations.js";
import { ownProcess, type ProcessFacts } from "./host.js";
import { type DeadHolders, describeHolder, judgeHolder, type Watch } from "./liveness.js";
import { areDisjoint, partitionName } from "./partition.js";
import { watchHolders } from "./watch-holders.js";

export interface LeaseRequest {
  /** `<run dir>/lease`. */
  readonly dir: string;
  readonly partition: Partition;
  /** The run's id. */
  readonly run: string;
  /** Called before a holder on another machine is watched, which takes up to `factor` intervals. */
  readonly onWait?: (message: string) => void;
  readonly signal?: AbortSignal;
  /** Time between two heartbeats, the same for all coordinators of a root. @defaultValue 2000 */
  readonly intervalMs?: number;
  /** After how many intervals without a heartbeat a holder is dead. @defaultValue 10 */
  readonly factor?: number;
  /** When the heartbeat's thread starts, in milliseconds after acquisition. @defaultValue 1000 */
  readonly beatAfterMs?: number;
  /** The thread of its heartbeat, where several leases share one. */
  readonly beats?: HeartbeatThread;
  /** What `watchHolders` has found out for several roots at once. Left out: this root's holders are watched now. */
  readonly dead?: DeadHolders;
  /** For tests: the identity of this process to write instead of the real one. */
  readonly self?: Partial<ProcessFacts>;
}

export interface Lease extends AsyncDisposable {
  readonly generation: number;
  /**
   * Must be called before each write; costs two look-ups in a directory. Throws `root-in-use` when another coordinator has
   * taken over, `environment` when the directory was removed. A take-over between the call and the write goes
   * unnoticed: file systems have no fencing.
   */
  assertHeld(): void;
  /** Starts the heartbeat now: call it before work that blocks this thread's timers. */
  startBeat(): void;
}

/**
 * The right to work on a partition of a root, for one coordinator at a time. Refused with `root-in-use` when a live
 * coordinator holds this partition or an overlapping one. `generations.ts` describes the files, `liveness.ts` decides
 * whether a holder is alive.
 */
export async function openLease(request: LeaseRequest): Promise<Lease> {
  const { partition, run, intervalMs = 2000, factor = 10, beatAfterMs = 1000 } = request;
  const self = { ...ownProcess(), ...request.self };
  const record: LeaseRecord = { v: 1, ...self, run, started: new Date().toISOString(), scope: partition };
  const { onWait = () => {}, signal } = request;
  const given = { self, intervalMs, factor, onWait, signal };
  const watch: Watch = { ...given, dead: request.dead ?? (await watchHolders([request.dir], partition, given)) };
  const dir = join(request.dir, partitionName(partition));
  const generation = await acquire(dir, record, watch);
  const beat = new Beat({ dir, generation, intervalMs, afterMs: beatAfterMs, beats: request.beats });
  const lease = new HeldLease(dir, generation, beat);
  try {
    sweepBelow(dir, generation);
    // Creates this lease before it checks the others: of two overlapping ones, at least one sees the other.
    for (const sibling of leasesIn(request.dir)) if (sibling !== dir) await clearSibling(sibling, record, watch);
    lease.assertHeld();
    return lease;
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
}

/** Returns our new generation. */
async function acquire(dir: string, record: LeaseRecord, watch: Watch): Promise<number> {
  for (;;) {
    const holder = highestGeneration(dir);
    if (holder !== undefined && !holder.free) {
      const verdict = await judgeHolder(dir, holder, watch);
      if (verdict === "changed") continue;
      if (verdict === "live") throw inUse(dir, holder.record, "");
    }
    const generation = (holder?.generation ?? 0) + 1;
    if (createGeneration(dir, generation, record)) return generation;
  }
}

/**
 * Ensures that no other coordinator works on an overlapping partition. A holder that counts as dead may only be suspended:
 * its lease is taken over and released at once, so that it finds the lease lost when it resumes.
 */
async function clearSibling(dir: string, record: LeaseRecord, watch: Watch): Promise<void> {
  for (;;) {
    const holder = highestGeneration(dir);
    if (holder === undefined || holder.free) return;
    if (holder.record !== null && areDisjoint(holder.record.scope, record.scope)) return;
    const verdict = await judgeHolder(dir, holder, watch);
    if (verdict === "live") throw inUse(dir, holder.record, " over a partition that overlaps this one");
    if (verdict === "dead" && createGeneration(dir, holder.generation + 1, record)) {
      freeGeneration(dir, holder.generation + 1);
      return;
    }
  }
}

function inUse(dir: string, holder: LeaseRecord | null, how: string): KagurazakaError {
  const who = holder === null ? "another coordinator" : describeHolder(holder);
  return new KagurazakaError("root-in-use", `${who} is working on this output root${how}`, {
    where: dir,
    hint: `Wait until it has ended${holder === null ? "" : `, stop it (kill ${holder.pid} on ${holder.host})`}, or give each run its own --shard i/N of one N, or its own output root.`,
  });
}

/** The error of a lost lease: another coordinator has taken over, or the root was deleted during the run. */
function lost(dir: string): KagurazakaError {
  const taker = highestGeneration(dir)?.record;
  if (!taker)
    return new KagurazakaError("environment", `the lease of this run is gone: ${dir} was removed`, { where: dir });
  const message = `the lease of this run on its output root was taken over by ${describeHolder(taker)}`;
  const hint = "This run was suspended for too long and has stopped writing. Everything it recorded before is kept.";
  return new KagurazakaError("root-in-use", message, { where: dir, hint });
}

class HeldLease implements Lease {
  readonly generation: number;
  readonly #dir: string;
  readonly #beat: Beat;
  #disposed = false;

  constructor(dir: string, generation: number, beat: Beat) {
    this.generation = generation;
    this.#dir = dir;
    this.#beat = beat;
  }

  assertHeld(): void {
    if (!stillHolds(this.#dir, this.generation)) throw lost(this.#dir);
    this.#beat.startIfDue();
  }

  startBeat(): void {
    this.#beat.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#beat.stop();
    freeGeneration(this.#dir, this.generation);
  }
}
