import type { ActivityWriter } from "./activity.js";
import type { ToWorker, WireOutcome, WorkerSetup } from "./wire.js";

/**
 * Turns items into outcomes inside a worker. Chunk borders mean nothing to it: a slot is refilled at once, and outcomes are
 * reported one by one. An item executor calls `process` for each item; a batch executor runs a model over batches. The task's
 * kind decides which one it is.
 */
export interface Executor {
  push(message: Extract<ToWorker, { type: "items" }>): void;
  /** Fires the item's `ctx.signal`. The item may settle after that, or not. */
  abort(seq: number, reason: "timeout" | "cancelled"): void;
  /** No more items come for now: an incomplete batch runs as it is. */
  flush(): void;
  /** Gives back the items that have not begun, by `ports.leaving`. */
  giveBack(): void;
  /** Starts no more items; those never started are given back by `ports.leaving`. */
  drain(): void;
  /** No more messages come. Resolves when all running items have settled. */
  close(): Promise<void>;
}

export interface ExecutorPorts {
  readonly setup: WorkerSetup;
  readonly activity: SharedArrayBuffer;
  readonly activityWritten?: ActivityWriter | undefined;
  /** Done, with nothing to add. `nowMs` is `monotonicMs()`. */
  done(seq: number, durationMs: number, nowMs: number): void;
  /** The same for an item whose work was done by programs. May be sent a little later. */
  doneByProgram(seq: number, durationMs: number): void;
  settle(outcome: WireOutcome, nowMs: number): void;
  /** Sends the buffered outcomes now. */
  flush(): void;
  log(key: string, level: "info" | "warn" | "error", message: string, fields?: unknown): void;
  processStarted(seq: number, leaderPid: number): void;
  leaving(why: string | null, unstarted: readonly number[]): void;
}
