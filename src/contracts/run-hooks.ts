import type { ErrorRecord } from "../base/errors.js";
import type { Outcome } from "./outcome.js";

/** A run at its start. */
export interface RunInfo {
  readonly run: string;
  readonly task: string;
  readonly backbone: string;
  readonly workers: number;
  readonly concurrency: number;
  /** Hard shards in this run. The fields below are those of the first one. */
  readonly shards: number;
  readonly inputRoot: string | null;
  readonly outputRoot: string | null;
  readonly runDir: string;
}

/** Callbacks of a run. All are optional. */
export interface RunHooks {
  /** The run is open, and is about to list its first item. */
  onStart?(info: RunInfo): void;
  /** An item has settled. With this hook, workers send back the return values of `process`. */
  onOutcome?(outcome: Outcome): void;
  onFirstFailure?(failureClass: string, key: string, error: ErrorRecord): void;
  onRetry?(key: string, attempt: number, error: ErrorRecord, delayMs: number): void;
  /** The task has written to stdout or stderr. */
  onPrint?(key: string | null, text: string): void;
  onLog?(key: string, level: "info" | "warn" | "error", message: string, fields?: unknown): void;
  onWarning?(message: string): void;
}
