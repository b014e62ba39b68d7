import type { ErrorRecord, KagurazakaError } from "../base/errors.js";
import type { Chunk, PendingItem } from "./chunk.js";
import type { Settled } from "./outcome.js";
import type { FromWorker } from "./wire.js";

/**
 * The interface between the two halves of a run. *Planning and recording* decides which items run in which order, and records
 * outcomes (plan, ledger, epochs, budget, report). *Execution* runs them: workers, timeouts, retries, backoff, blame. Chunks
 * go in, outcomes come out: exactly one `onDone` or `onSettled` per item.
 *
 * A local execution (`runner/dispatch`) runs workers of a worker backbone. A fleet backbone has an execution of its own, whose
 * nodes each run a local execution.
 */
export interface Execution {
  /** Runs to the end of the chunks. Resolves with the error that stopped it early, if any; rejects only on defects. */
  run(chunks: AsyncIterator<Chunk>, events: ExecutionEvents): Promise<KagurazakaError | undefined>;
  /** Starts no more items and lets running ones settle; cancels the rest after `graceMs`. */
  drain(graceMs: number, cause?: KagurazakaError): void;
  /** Ends now: items in flight are cancelled. */
  stop(cause?: KagurazakaError): void;
  /** Starts no more items of one shard; its running items may settle. */
  stopShard(shard: number): void;
  snapshot(): ExecutionSnapshot;
}

export interface ExecutionSnapshot {
  /** Items sent to workers and not settled. */
  readonly inFlight: number;
  /** Items that left the plan and are not in flight. */
  readonly waiting: number;
  /** Scopes of `RetryAfterError` with items that wait for them, the one with most items first. */
  readonly scopes: readonly { readonly scope: string; readonly items: number }[];
  /** The item that has been running for the longest time. */
  readonly oldest: { readonly key: string; readonly sinceMs: number } | undefined;
}

export interface ExecutionEvents {
  /** An item is done, with nothing to add. Nearly all items end here, so no object is made for it. */
  onDone(chunk: Chunk, index: number, durationMs: number): void;
  onSettled(item: PendingItem, settled: Settled): void;
  /**
   * All outcomes of a message have been reported: a good moment to write them.
   * @param onRecorded called once they are recorded, so that the queue of a fleet can drop the message
   */
  onMessageDone(onRecorded?: () => void): void;
  onRetry(item: PendingItem, error: ErrorRecord, delayMs: number): void;
  /** No item of this shard can run: its disk is full, or its root is gone. The listener stops the shard or the run. */
  onShardFailed(shard: number, cause: KagurazakaError): void;
  /** A task has printed or logged something. */
  onMessage(message: TaskMessage): void;
  onWarning(message: string): void;
  /** A worker has reached a limit of recycling and is replaced. */
  onRecycled(worker: string, why: string): void;
}

export type TaskMessage = Extract<FromWorker, { type: "print" | "log" }>;
