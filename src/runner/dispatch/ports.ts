import type { ErrorRecord, KagurazakaError } from "../../base/errors.js";
import type { BackboneSession, ProcessGuard } from "../../contracts/backbone.js";
import type { Chunk, PendingItem } from "../../contracts/chunk.js";
import type { RunSettings } from "../../contracts/run-config.js";
import type { FromWorker, WireOutcome, WorkerSetup } from "../../contracts/wire.js";
import type { ChunkSlice } from "./queues.js";
import type { WorkerHandle } from "./worker-handle.js";

/** How an item ended, as far as the dispatcher goes. */
export interface Settled {
  readonly status: "done" | "skipped" | "filtered" | "failed" | "cancelled";
  readonly durationMs: number;
  readonly reason?: string;
  readonly error?: ErrorRecord;
  readonly value?: unknown;
  readonly frame?: WireOutcome["frame"];
}

export interface DispatcherEvents {
  /** Part of a chunk goes to a worker; its keys, packed. */
  onChunkSent(worker: WorkerHandle, slice: ChunkSlice, keys: string): void;
  /** A worker is gone; what it had is settled or taken back. */
  onWorkerGone(worker: WorkerHandle): void;
  /** Done, with nothing to add; the item needs no item for that. */
  onDone(chunk: Chunk, index: number, durationMs: number): void;
  onSettled(item: PendingItem, settled: Settled): void;
  /** A batch of outcomes is through: a good moment to write the ledger. */
  onMessageDone(): void;
  onRetry(item: PendingItem, error: ErrorRecord, delayMs: number): void;
  /** Nothing of this shard can work: its disk is full, its root gone. Whoever listens stops the shard or the run. */
  onShardFailed(shard: number, cause: KagurazakaError): void;
  onMessage(worker: number, message: Extract<FromWorker, { type: "print" | "log" }>): void;
  onWarning(message: string): void;
  /** A worker has done enough and makes room for a fresh one. */
  onRecycled(worker: number, why: string): void;
}

export interface DispatcherOptions {
  /** Where the next worker is started. */
  readonly session: () => BackboneSession;
  readonly workers: number;
  readonly killable: boolean;
  readonly settings: RunSettings;
  readonly permanentErrors: readonly (string | RegExp)[];
  readonly plan: AsyncIterator<Chunk>;
  readonly setupOf: (workerId: number) => WorkerSetup;
  /** Gets to know the children of items. */
  readonly guard: ProcessGuard;
  readonly events: DispatcherEvents;
}
