import type { RunSettings } from "../../contracts/run-config.js";
import type { ExecutorShape } from "../../contracts/wire.js";
import type { WorkerHandle } from "./worker-handle.js";
import type { WorkerPoolOptions } from "./worker-pool.js";

/** Receives which items are in flight at which worker, so that the next run knows them after a crash of the process. */
export interface InFlightObserver {
  /** Called before the items are sent. @param keys of the items, packed */
  sending(worker: WorkerHandle, shard: number, keys: string): void;
  /** The worker has exited; its items are settled or requeued. */
  gone(worker: WorkerHandle): void;
}

export interface DispatcherOptions extends Pick<WorkerPoolOptions, "session" | "setup" | "site" | "namePrefix"> {
  /** One for each worker there may be at a time: its executor's shape. */
  readonly shapes: readonly ExecutorShape[];
  readonly killable: boolean;
  readonly settings: Pick<RunSettings, "chunksize" | "rate" | "retries" | "backoff" | "timeout" | "stall" | "grace">;
  readonly permanentErrors: readonly (string | RegExp)[];
  readonly inFlight?: InFlightObserver | undefined;
  /** How many items are requested ahead of the workers. A node requests few: no other node can take them from it. */
  readonly lookaheadItems?: number | undefined;
}
