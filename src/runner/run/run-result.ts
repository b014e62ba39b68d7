import type { KagurazakaError } from "../../base/errors.js";
import type { ExecutionSnapshot } from "../../contracts/execution.js";
import type { DryRun, OutcomeCounts } from "../../contracts/outcome.js";
import type { RunStats } from "../../contracts/task.js";

/** The state of a run at a moment. */
export interface RunSnapshot extends ExecutionSnapshot {
  readonly counts: Readonly<OutcomeCounts>;
  /** The list of items is at its end: only `waiting` and `inFlight` items are left. */
  readonly listed: boolean;
  readonly retries: number;
  readonly elapsedMs: number;
  /** How far the run is by the size of items, for a task that says it (`static progressBy`). */
  readonly size?: { readonly name: string; readonly done: number; readonly planned: number };
}

/** What `runTask` resolves with. `--json` prints a part of it. */
export interface RunResult {
  readonly run: string;
  readonly task: string;
  readonly backbone: string;
  readonly counts: OutcomeCounts;
  /** From the first item listed to the last one recorded. */
  readonly elapsedMs: number;
  readonly itemsPerSecond: number;
  readonly outputRoot: string | null;
  readonly runDir: string;
  readonly exitCode: number;
  readonly stats: RunStats;
  /** Slots were full and processors idle: more items at once would take less time. */
  readonly mostlyWaited: boolean;
  /** Items that could run at once. */
  readonly concurrency: number;
  /** What stopped the run early, if anything did. */
  readonly error: KagurazakaError | undefined;
  /** Lines in failed.jsonl. */
  readonly failedInTotal: number;
  /** Worker threads that are blocked in a native call: this process ends only when those calls return. */
  readonly blockedThreads: number;
  /** Only of a dry run, which has run nothing: what would happen. Its `runDir` was not made. */
  readonly plan?: DryRun;
}
