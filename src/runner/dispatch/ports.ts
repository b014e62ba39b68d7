import type { ErrorRecord, KagurazakaError } from "../../base/errors.js";
import type { BackboneSession, ProcessGuard } from "../../contracts/backbone.js";
import type { RunSettings } from "../../contracts/run-config.js";
import type { FromWorker, WireOutcome, WorkerSetup } from "../../contracts/wire.js";
import type { Envelope, Parcel } from "../plan/parcel.js";
import type { Load } from "./queues.js";
import type { Seat } from "./seat.js";

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
  /** Part of a parcel goes to a worker; its keys, packed. */
  onSent(seat: Seat, load: Load, keys: string): void;
  /** A worker is gone; what it had is settled or taken back. */
  onWorkerGone(seat: Seat): void;
  /** Done, with nothing to add; the item needs no envelope for that. */
  onDone(parcel: Parcel, index: number, durationMs: number): void;
  onSettled(envelope: Envelope, settled: Settled): void;
  /** A batch of outcomes is through: a good moment to write the ledger. */
  onBatch(): void;
  onRetry(envelope: Envelope, error: ErrorRecord, delayMs: number): void;
  /** Nothing of this shard can work: its disk is full, its root gone. Whoever listens stops the shard or the run. */
  onBroken(shard: number, cause: KagurazakaError): void;
  onMessage(seat: number, message: Extract<FromWorker, { type: "print" | "log" }>): void;
  onWarning(message: string): void;
  /** A worker has done enough and makes room for a fresh one. */
  onWorn(seat: number, why: string): void;
}

export interface DispatcherOptions {
  /** Where the next worker is started. */
  readonly session: () => BackboneSession;
  readonly workers: number;
  readonly killable: boolean;
  readonly settings: RunSettings;
  readonly permanentErrors: readonly (string | RegExp)[];
  readonly plan: AsyncIterator<Parcel>;
  readonly setupOf: (workerId: number) => WorkerSetup;
  /** Gets to know the children of items. */
  readonly guard: ProcessGuard;
  readonly events: DispatcherEvents;
}
