import type { ErrorRecord } from "../base/errors.js";
import type { SinkFrame } from "./sink.js";

export type OutcomeStatus = "done" | "skipped" | "filtered" | "failed" | "cancelled";

/** What became of one item. Success and failure share one shape. */
export interface Outcome {
  readonly key: string;
  readonly status: OutcomeStatus;
  /** 1 for the first try. 0 where the item never started. */
  readonly attempts: number;
  /** Time inside `process`, of the last attempt, in milliseconds. */
  readonly durationMs: number;
  /** Why it was filtered, or why it was skipped. */
  readonly reason?: string;
  readonly error?: ErrorRecord;
  /** What `process` returned, where somebody asked for it (`onOutcome`). */
  readonly value?: unknown;
  /** Rows for sinks. */
  readonly frames?: readonly SinkFrame[];
}

/** How an item ended, without its key. */
export type Settled = Omit<Outcome, "key" | "attempts">;

export interface OutcomeCounts {
  /** The sum of the others. */
  total: number;
  done: number;
  skipped: number;
  filtered: number;
  failed: number;
  cancelled: number;
}

export const emptyCounts = (): OutcomeCounts => ({
  total: 0,
  done: 0,
  skipped: 0,
  filtered: 0,
  failed: 0,
  cancelled: 0,
});
