import type { RunStats } from "../../contracts/task.js";
import type { RunCounters } from "./run-counters.js";

interface StatsRequest {
  readonly run: string;
  readonly task: string;
  readonly counters: RunCounters;
  readonly elapsedMs: number;
  /** Items that could run at once. */
  readonly slots: number;
}

/** The run in numbers, as `finalize` gets them and `stats.json` keeps them. */
export function statsOf({ run, task, counters, elapsedMs, slots }: StatsRequest): RunStats {
  const settled = counters.counts.total - counters.counts.cancelled;
  return {
    run,
    task,
    counts: { ...counters.counts },
    retries: counters.retries,
    elapsedMs: round(elapsedMs),
    itemsPerSecond: elapsedMs > 0 ? round((settled * 1000) / elapsedMs) : 0,
    durationMs: {
      p50: round(counters.durations.percentile(0.5)),
      p95: round(counters.durations.percentile(0.95)),
      max: round(counters.durations.maxMs),
    },
    utilisation: elapsedMs > 0 ? Math.min(1, round(counters.busyMs / (elapsedMs * slots))) : 0,
    failures: counters.failures.map((failure) => ({ class: failure.class, count: failure.count })),
    slowest: counters.slowest.map(({ key, durationMs }) => ({ key, durationMs: round(durationMs) })),
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
