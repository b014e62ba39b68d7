import type { ActivityWriter } from "./activity.js";
import type { ToWorker, WireOutcome, WorkerSetup } from "./wire.js";

/**
 * Turns items into outcomes inside a worker, one executor per run: items flow in under credits, outcomes flow out one by
 * one whatever the chunk borders, slots refill at once. An item executor runs one `process` per item; a batch executor
 * runs a model over batches. Which one it is belongs to the task's kind, not to the backbone.
 */
export interface Executor {
  push(message: Extract<ToWorker, { type: "items" }>): void;
  /** Fires the item's `ctx.signal`; the item settles by itself or not at all. */
  abort(seq: number, reason: "timeout" | "cancelled"): void;
  /** Starts nothing more; returns what was never started. */
  hold(): readonly number[];
  /** Nothing more comes. Resolves when `teardown` is through. */
  close(): Promise<void>;
}

export interface ExecutorPorts {
  readonly setup: WorkerSetup;
  readonly activity: SharedArrayBuffer;
  readonly activityWritten?: ActivityWriter | undefined;
  /** Done, with nothing to add. Times by the clock of the marks. */
  done(seq: number, durationMs: number, nowMs: number): void;
  /** The same, of an item that left its work to programs: it may be sent a little later. */
  doneByProgram(seq: number, durationMs: number): void;
  settle(outcome: WireOutcome, nowMs: number): void;
  /** Sends what was settled now rather than with the next batch. */
  flush(): void;
  print(key: string | null, text: string): void;
  log(key: string, level: "info" | "warn" | "error", message: string, fields?: unknown): void;
  spawned(seq: number, pid: number): void;
  /** Never started, and given back. */
  held(unstarted: readonly number[]): void;
  /** By `setup.recycle`: nothing more is started here. */
  worn(why: string): void;
}
