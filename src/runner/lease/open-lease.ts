import { join } from "node:path";
import { monotonicMs } from "../../base/clock.js";
import { KagurazakaError } from "../../base/errors.js";
import type { Partition } from "../../contracts/partition.js";
import { type Beat, createBeat, type HeartbeatThread } from "./beat.js";
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
import { describeHolder, judgeHolder, type Watch } from "./liveness.js";
import { areDisjoint, partitionName } from "./partition.js";

const INTERVAL_MS = 2000;
const FACTOR = 10;
const BEAT_AFTER_MS = 1000;

export interface LeaseRequest {
  /** `<run dir>/lease`. */
  readonly dir: string;
  readonly scope: Partition;
  /** The run's id. */
  readonly run: string;
  /** Told once before a holder on another machine is watched, which takes up to `factor` intervals. */
  readonly onWait?: (message: string) => void;
  readonly signal?: AbortSignal;
  /** Time between two heartbeats. All who share a root must agree on it. @defaultValue 2000 */
  readonly intervalMs?: number;
  /** After how many intervals without a heartbeat a holder is dead. @defaultValue 10 */
  readonly factor?: number;
  /** When the heartbeat's thread starts, from acquisition. @defaultValue 1000 */
  readonly beatAfterMs?: number;
  /** The thread that beats for it, where several leases share one. */
  readonly beats?: HeartbeatThread;
  /** Who this process says it is, where that is not the truth (tests). */
  readonly self?: Partial<ProcessFacts>;
}

export interface Lease extends AsyncDisposable {
  readonly generation: number;
  /**
   * Throws `root-in-use` when another coordinator has taken over, `environment` when the directory was removed: to be
   * called before each write. Two look-ups in a
   * directory. What happens between it and the write cannot be fenced off on a file system; the window is that short.
   */
  assertHeld(): void;
  /** Starts the heartbeat now: before work that keeps this thread from its timers. */
  startBeat(): void;
}

/**
 * The right to work on a part of a root, for one coordinator at a time. Refused with `root-in-use` when a live one holds
 * this part, or one that overlaps it. See `generations.ts` for the files, `liveness.ts` for who counts as alive.
 */
export async function openLease(request: LeaseRequest): Promise<Lease> {
  const { scope, run, intervalMs = INTERVAL_MS, factor = FACTOR, beatAfterMs = BEAT_AFTER_MS } = request;
  const self = { ...ownProcess(), ...request.self };
  const record: LeaseRecord = { v: 1, ...self, run, started: new Date().toISOString(), scope };
  const watch: Watch = { self, intervalMs, factor, onWait: request.onWait ?? (() => {}), signal: request.signal };
  const dir = join(request.dir, partitionName(scope));
  const generation = await acquire(dir, record, watch);
  const beat = createBeat({ dir, generation, intervalMs, afterMs: beatAfterMs, beats: request.beats });
  const lease = new HeldLease({ dir, generation, beat, beatAtMs: monotonicMs() + beatAfterMs });
  try {
    sweepBelow(dir, generation);
    // Ours is in place before the others are looked at: of two that overlap, at least one sees the other.
    for (const sibling of leasesIn(request.dir)) if (sibling !== dir) await clearSibling(sibling, record, watch);
    lease.assertHeld();
    return lease;
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
}

/** Returns the generation that is ours now. */
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
 * Makes sure that nobody works on another part that overlaps ours. A dead holder is not only passed over: should it come
 * back, it must find that its lease is lost, so its generation is taken and given back at once.
 */
async function clearSibling(dir: string, record: LeaseRecord, watch: Watch): Promise<void> {
  for (;;) {
    const holder = highestGeneration(dir);
    if (holder === undefined || holder.free) return;
    if (holder.record !== null && areDisjoint(holder.record.scope, record.scope)) return;
    const verdict = await judgeHolder(dir, holder, watch);
    if (verdict === "live") throw inUse(dir, holder.record, " over a part that overlaps this one");
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
    hint: `Wait until it is through${holder === null ? "" : `, stop it (kill ${holder.pid} on ${holder.host})`}, or give each run its own --shard i/N of one N, or its own output root.`,
  });
}

/** Told apart for the exit code: another coordinator, or a root that was deleted under the run. */
function lost(dir: string): KagurazakaError {
  const taker = highestGeneration(dir)?.record;
  if (!taker)
    return new KagurazakaError("environment", `the lease of this run is gone: ${dir} was removed`, { where: dir });
  return new KagurazakaError(
    "root-in-use",
    `the lease of this run on its output root was taken over by ${describeHolder(taker)}`,
    {
      where: dir,
      hint: "This run stood still for too long and has stopped writing; what it recorded before is kept.",
    },
  );
}

class HeldLease implements Lease {
  readonly generation: number;
  readonly #dir: string;
  readonly #beat: Beat;
  #beatAtMs: number;
  #disposed = false;

  constructor(held: { dir: string; generation: number; beat: Beat; beatAtMs: number }) {
    this.generation = held.generation;
    this.#dir = held.dir;
    this.#beat = held.beat;
    this.#beatAtMs = held.beatAtMs;
  }

  assertHeld(): void {
    if (!stillHolds(this.#dir, this.generation)) throw lost(this.#dir);
    // A loop too busy for its timers still comes through here.
    if (monotonicMs() >= this.#beatAtMs) this.startBeat();
  }

  startBeat(): void {
    this.#beatAtMs = Number.POSITIVE_INFINITY;
    if (!this.#disposed) this.#beat.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#beat.stop();
    freeGeneration(this.#dir, this.generation);
  }
}
