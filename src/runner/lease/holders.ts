import { highestGeneration, leasesIn } from "./generations.js";
import { ownProcess, processLives } from "./host.js";
import { isNeighbour } from "./liveness.js";

/** A run that works on a root, as seen from this machine. */
export interface Holder {
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
  /** False: the run is on another machine, and only its heartbeat can show that it is alive. */
  readonly isCertain: boolean;
}

/** The runs that hold a lease of a root. Does not wait for heartbeats and writes nothing. */
export function holdersOf(leaseDir: string): Holder[] {
  return leasesIn(leaseDir).flatMap((dir) => {
    const holder = highestGeneration(dir);
    if (holder === undefined || holder.free || holder.record === null) return [];
    const { record } = holder;
    const isCertain = isNeighbour(record, ownProcess());
    if (isCertain && !processLives(record.pid, record.start)) return [];
    return [{ run: record.run, host: record.host, pid: record.pid, since: record.started, isCertain }];
  });
}
