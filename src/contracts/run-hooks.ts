import type { ErrorRecord } from "../base/errors.js";
import type { Outcome } from "./outcome.js";

/** What is known of a run when it begins. */
export interface RunInfo {
  readonly run: string;
  readonly task: string;
  readonly backbone: string;
  readonly workers: number;
  readonly concurrency: number;
  /** Hard shards in this run; roots and directories below are the first one's. */
  readonly shards: number;
  readonly inputRoot: string | null;
  readonly outputRoot: string | null;
  readonly runDir: string;
}

/** What a run tells whoever started it. Nothing of it is needed for the run to be right. */
export interface RunHooks {
  /** Everything is decided and open; the first item is about to be listed. */
  onStart?(info: RunInfo): void;
  /** One item is through. Asking for it makes workers send back what `process` returned. */
  onOutcome?(outcome: Outcome): void;
  onFirstFailure?(failureClass: string, key: string, error: ErrorRecord): void;
  onRetry?(key: string, attempt: number, error: ErrorRecord, delayMs: number): void;
  /** Something the task wrote to its standard output or error. */
  onPrint?(key: string | null, text: string): void;
  onLog?(key: string, level: "info" | "warn" | "error", message: string, fields?: unknown): void;
  onWarning?(message: string): void;
}
