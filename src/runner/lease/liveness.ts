import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs } from "../../base/clock.js";
import { beatPath, type Highest, highestGeneration, type LeaseRecord, readBeat } from "./generations.js";
import { type ProcessFacts, processLives } from "./host.js";

export interface Watch {
  readonly self: ProcessFacts;
  /** The time between two increments of a holder's counter. */
  readonly intervalMs: number;
  /** After this many intervals without a change a holder counts as dead. */
  readonly factor: number;
  readonly onWait: (message: string) => void;
  readonly signal: AbortSignal | undefined;
  /** Holders that were watched before, and are dead. */
  readonly dead: DeadHolders;
}

/** Generations by their directory. */
export type DeadHolders = ReadonlyMap<string, number>;

/**
 * Whether the holder of a lease is alive. `changed`: the lease was released or taken over meanwhile, so check again.
 *
 * A holder of this boot and pid namespace is alive if its process exists. Any other holder is watched: it is dead when its
 * counter does not change for long enough by the watcher's own clock. Clocks of two machines are never compared.
 */
export async function judgeHolder(dir: string, holder: Highest, watch: Watch): Promise<"live" | "dead" | "changed"> {
  const { record } = holder;
  if (watch.dead.get(dir) === holder.generation) return "dead";
  if (record !== null && isNeighbour(record, watch.self))
    return processLives(record.pid, record.start) ? "live" : "dead";
  const { intervalMs, factor, onWait, signal } = watch;
  const limitMs = intervalMs * factor;
  const who =
    record === null
      ? `another coordinator, whose lease cannot be read (${beatPath(dir, holder.generation)}),`
      : `${describeHolder(record)} on another machine`;
  onWait(
    `${who} may still be working on this output root: watching its heartbeat for up to ${Math.round(limitMs / 100) / 10} s`,
  );
  const first = readBeat(dir, holder.generation);
  let watchedMs = 0;
  let last = monotonicMs();
  while (watchedMs < limitMs) {
    await sleep(intervalMs / 2, undefined, { signal });
    const now = monotonicMs();
    // Time in which this process itself was suspended (SIGSTOP, a blocked loop) proves nothing about the holder.
    watchedMs += Math.min(now - last, intervalMs);
    last = now;
    const highest = highestGeneration(dir);
    if (highest === undefined || highest.generation !== holder.generation || highest.free) return "changed";
    if (readBeat(dir, holder.generation) !== first) return "live";
  }
  return "dead";
}

/** Same machine, same boot, same pid namespace: its process can be looked up. */
export function isNeighbour(record: LeaseRecord, self: ProcessFacts): boolean {
  return record.host === self.host && record.boot === self.boot && record.pidns === self.pidns;
}

export function describeHolder(record: LeaseRecord): string {
  return `run ${record.run} (host ${record.host}, pid ${record.pid}, since ${record.started})`;
}
