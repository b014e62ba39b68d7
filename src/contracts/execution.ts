import type { ErrorRecord, KagurazakaError } from "../base/errors.js";
import type { Chunk, PendingItem } from "./chunk.js";
import type { Settled } from "./outcome.js";
import type { FromWorker } from "./wire.js";

/**
 * The port between the two halves of a run. *Planning and recording* decides what to do, in which order, and writes down what
 * became of it (plan, ledger, epochs, budget, report). *Execution* does it: a pool of workers, timeouts, retries, patience,
 * blame. Chunks go in, outcomes come out; every item that goes in leaves exactly once, by `onDone` or `onSettled`.
 *
 * A local execution (`runner/dispatch`) runs workers of a worker backbone. A fleet backbone brings an execution of its own,
 * whose nodes each run a local execution.
 */
export interface Execution {
  /** Runs to the end of the chunks. Resolves with what stopped it early, if anything did; rejects only on defects. */
  run(chunks: AsyncIterator<Chunk>, events: ExecutionEvents): Promise<KagurazakaError | undefined>;
  /** Lets running items settle and starts no more; after `graceMs` the rest is cancelled. */
  drain(graceMs: number, cause?: KagurazakaError): void;
  /** Ends now: items in flight are cancelled. */
  stop(cause?: KagurazakaError): void;
  /** Starts no more items of one shard; its running items may settle. */
  stopShard(shard: number): void;
  snapshot(): ExecutionSnapshot;
}

export interface ExecutionSnapshot {
  /** Items at workers. */
  readonly inFlight: number;
  /** Items that came from the plan and are not at a worker. */
  readonly waiting: number;
  /** The item that has been running for the longest time. */
  readonly oldest: { readonly key: string; readonly sinceMs: number } | undefined;
}

export interface ExecutionEvents {
  /** An item is done, with nothing to add: the way nearly all items go, so nothing is made for it. */
  onDone(chunk: Chunk, index: number, durationMs: number): void;
  onSettled(item: PendingItem, settled: Settled): void;
  /**
   * All outcomes of a message have been told: a good moment to write them down.
   * @param onRecorded called once they are on record; the message may then be forgotten where it came from
   */
  onMessageDone(onRecorded?: () => void): void;
  onRetry(item: PendingItem, error: ErrorRecord, delayMs: number): void;
  /** No item of this shard can work: its disk is full, its root is gone. The listener stops the shard or the run. */
  onShardFailed(shard: number, cause: KagurazakaError): void;
  /** A task has printed or logged something. */
  onMessage(message: TaskMessage): void;
  onWarning(message: string): void;
  /** A worker has reached a limit of recycling and is replaced. */
  onRecycled(worker: string, why: string): void;
}

export type TaskMessage = Extract<FromWorker, { type: "print" | "log" }>;
