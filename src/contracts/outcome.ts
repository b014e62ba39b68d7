import type { ErrorRecord } from "../base/errors.js";
import type { SinkFrame } from "./sink.js";

export type OutcomeStatus = "done" | "skipped" | "filtered" | "failed" | "cancelled";

/** How one item ended. Success and failure have one shape. */
export interface Outcome {
  readonly key: string;
  readonly status: OutcomeStatus;
  /** 0 where the item never started. */
  readonly attempts: number;
  /** Time inside `process` of the last attempt, in milliseconds. */
  readonly durationMs: number;
  /** Why it was filtered or skipped. */
  readonly reason?: string;
  readonly error?: ErrorRecord;
  /** The return value of `process`, in runs with the hook `onOutcome`. */
  readonly value?: unknown;
  /** What the attempt has counted with `ctx.count`, by name. */
  readonly amounts?: Readonly<Record<string, number>>;
  /** Rows for sinks. */
  readonly frames?: readonly SinkFrame[];
}

/** How an item ended, without its key. */
export type Settled = Omit<Outcome, "key" | "attempts">;

/** Items by status. `total` is their sum. */
export type OutcomeCounts = Record<"total" | OutcomeStatus, number>;

export function emptyCounts(): OutcomeCounts {
  return { total: 0, done: 0, skipped: 0, filtered: 0, failed: 0, cancelled: 0 };
}

/** What a run would do. */
export interface DryRun {
  /** The warnings of a run, at its start and while it lists. */
  readonly warnings: readonly string[];
  readonly total: number;
  readonly run: number;
  /** Reason → items. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Items that cannot run, by error code. */
  readonly refused: Readonly<Record<string, number>>;
  /** The first five that would run: key → where each output would go. */
  readonly examples: readonly { readonly key: string; readonly outputs: readonly string[] }[];
}
