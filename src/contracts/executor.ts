import type { ActivityWriter } from "./activity.js";
import type { ToWorker, WireOutcome, WorkerSetup } from "./wire.js";

/** How many items an executor takes, declared by the task's kind and asked by the feeder. */
export interface ExecutorShape {
  /** Items under way at once; each has a slot of the activity. */
  readonly slots: number;
  /**
   * Items that the executor wants at hand before it begins: one that fills batches waits for that many. 0: none; the feeder
   * decides by measured times how many items wait in a worker.
   */
  readonly queue: number;
}

/**
 * Turns items into outcomes inside a worker, one executor per run: items flow in under credits, outcomes flow out one by
 * one whatever the chunk borders, slots refill at once. An item executor runs one `process` per item; a batch executor
 * runs a model over batches. Which one it is belongs to the task's kind, not to the backbone.
 */
export interface Executor {
  push(message: Extract<ToWorker, { type: "items" }>): void;
  /** Fires the item's `ctx.signal`; the item settles by itself or not at all. */
  abort(seq: number, reason: "timeout" | "cancelled"): void;
  /** No more items come for now: what waits for a full batch runs as it is. */
  flush(): void;
  /** Starts nothing more; what was never started is given back by `ports.leaving`. */
  drain(): void;
  /** Nothing more comes. Resolves when all that was begun is through. */
  close(): Promise<void>;
}

export interface ExecutorPorts {
  readonly setup: WorkerSetup;
  readonly activity: SharedArrayBuffer;
  readonly activityWritten?: ActivityWriter | undefined;
  /** Done, with nothing to add. Times by the clock of the activity. */
  done(seq: number, durationMs: number, nowMs: number): void;
  /** The same, of an item that left its work to programs: it may be sent a little later. */
  doneByProgram(seq: number, durationMs: number): void;
  settle(outcome: WireOutcome, nowMs: number): void;
  /** Sends what was settled now rather than with the next outcomes. */
  flush(): void;
  log(key: string, level: "info" | "warn" | "error", message: string, fields?: unknown): void;
  processStarted(seq: number, leaderPid: number): void;
  leaving(why: string | null, unstarted: readonly number[]): void;
}
