import type { RunSettings } from "../../contracts/run-config.js";
import type { WorkerHandle } from "./worker-handle.js";
import type { WorkerPoolOptions } from "./worker-pool.js";

/** Is told which items are at which worker, so that they can be found out after a crash of the whole process. */
export interface InFlightObserver {
  /** @param keys of the items just sent, packed */
  sent(worker: WorkerHandle, shard: number, keys: string): void;
  /** The worker is gone; its items are settled or taken back. */
  gone(worker: WorkerHandle): void;
}

export interface DispatcherOptions extends Pick<WorkerPoolOptions, "session" | "setup" | "site" | "namePrefix"> {
  /** How many workers there are at a time. */
  readonly workers: number;
  readonly killable: boolean;
  readonly settings: Pick<RunSettings, "chunksize" | "rate" | "retries" | "backoff" | "timeout" | "stall" | "grace">;
  readonly permanentErrors: readonly (string | RegExp)[];
  readonly inFlight?: InFlightObserver | undefined;
  /** How many items are asked for ahead of the workers. A node asks for few: what it holds, no other node can take. */
  readonly lookaheadItems?: number | undefined;
}
