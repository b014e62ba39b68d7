import type { RunStats } from "../../contracts/task.js";
import type { RunCounters } from "./run-counters.js";

export interface StatsRequest {
  readonly run: string;
  readonly task: string;
  readonly tally: RunCounters;
  readonly elapsedMs: number;
  /** Items that could run at once. */
  readonly slots: number;
}

/** The run in numbers, as `finalize` gets them and `stats.json` keeps them. */
export function statsOf({ run, task, tally, elapsedMs, slots }: StatsRequest): RunStats {
  const settled = tally.counts.total - tally.counts.cancelled;
  return {
    run,
    task,
    counts: { ...tally.counts },
    retries: tally.retries,
    elapsedMs: round(elapsedMs),
    itemsPerSecond: elapsedMs > 0 ? round((settled * 1000) / elapsedMs) : 0,
    durationMs: {
      p50: round(tally.durations.percentile(0.5)),
      p95: round(tally.durations.percentile(0.95)),
      max: round(tally.durations.maxMs),
    },
    utilisation: elapsedMs > 0 ? Math.min(1, round(tally.busyMs / (elapsedMs * slots))) : 0,
    failures: tally.failures.map((failure) => ({ class: failure.class, count: failure.count })),
    slowest: tally.slowest.map(({ key, durationMs }) => ({ key, durationMs: round(durationMs) })),
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
