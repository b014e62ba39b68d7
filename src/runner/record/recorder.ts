import { monotonicMs } from "../../base/clock.js";
import { asKagurazakaError, type ErrorRecord, failureClassOf, type KagurazakaError } from "../../base/errors.js";
import { parseJson } from "../../base/exact-json.js";
import type { Chunk, PendingItem } from "../../contracts/chunk.js";
import {
  emptyCounts,
  type Outcome,
  type OutcomeCounts,
  type OutcomeStatus,
  type Settled,
} from "../../contracts/outcome.js";
import type { RunSettings } from "../../contracts/run-config.js";
import type { RunHooks } from "../../contracts/run-hooks.js";
import type { SinkWriter } from "../../contracts/sink.js";
import type { Lease } from "../lease/index.js";
import type { CheckpointLine, EpochBook, Ledger, LedgerIndex } from "../ledger/index.js";
import type { Refusal } from "../plan/candidates.js";
import type { RunCounters } from "./run-counters.js";

/** The shortest time between two writes, unless the buffer is full. */
const WRITE_EVERY_MS = 5;
/** A buffer with more than this is written at once. */
const MAX_PENDING_BYTES = 256 * 1024;

export interface RecorderOptions {
  readonly settings: Pick<RunSettings, "maxFailures">;
  readonly index: Pick<LedgerIndex, "segments" | "finishedEpoch">;
  readonly book: Pick<EpochBook, "current">;
  readonly ledger: Ledger;
  readonly lease: Pick<Lease, "assertHeld">;
  /** Takes the frames of outcomes, for a task with sinks. */
  readonly sinks?: SinkWriter | undefined;
  readonly hooks: RunHooks;
  /** Of the whole run. */
  readonly counters: RunCounters;
  readonly isOnlyShard: boolean;
  /** Stops the run: at once, or after running items have settled. */
  readonly stop: (cause: KagurazakaError, how: "now" | "drain") => void;
}

/**
 * Records the outcomes of one shard. A write has three steps, in this order:
 *
 *   sinks.flush() ─▶ lease.assertHeld() ─▶ ledger.flush()
 *
 * So an item that the ledger calls done has its rows on file, and a coordinator that has lost its lease records nothing.
 */
export class Recorder {
  /** Of this shard. The only shard of a run shares the counts of the run. */
  readonly counts: OutcomeCounts;
  readonly #options: RecorderOptions;
  readonly #counters: RunCounters;
  readonly #redoes: boolean;
  #whenRecorded: (() => void)[] = [];
  /** An outcome has come since the last end of a message. */
  #hasNew = false;
  #timer: NodeJS.Timeout | undefined;
  #lastWriteMs = 0;
  #stopCause: KagurazakaError | undefined;
  lastRecordedMs: number | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#counters = options.counters;
    this.counts = options.isOnlyShard ? options.counters.counts : emptyCounts();
    this.#redoes = options.index.segments.length > 0;
  }

  /** Why outcomes could not be written. */
  get stopCause(): KagurazakaError | undefined {
    return this.#stopCause;
  }

  // ── Outcomes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  skipped(key: string, reason: string): void {
    this.#count("skipped");
    this.#options.hooks.onOutcome?.({ key, status: "skipped", attempts: 0, durationMs: 0, reason });
  }

  refused({ key, item, error }: Refusal): void {
    this.#failed(key, 0, { status: "failed", durationMs: 0, error }, item);
    this.#writeIfFull();
  }

  /** What could not run in an earlier run is no longer in the input: it has not failed any more. No outcome of this run. */
  cleared(key: string): void {
    this.#options.ledger.appendFiltered(key, 0, "no longer in the input");
    this.#writeIfFull();
  }

  /** Done, with nothing to add. Nearly all items end here, so no object is made unless a hook or a redo needs it. */
  done(chunk: Chunk, index: number, durationMs: number): void {
    this.#hasNew = true;
    const key = this.#redoes || this.#options.hooks.onOutcome ? undefined : chunk.keyBytesAt(index);
    if (!key) return this.settled(chunk.itemAt(index), { status: "done", durationMs });
    this.#options.ledger.appendDoneName(key, durationMs);
    this.#counters.ran(durationMs, () => chunk.keyAt(index));
    this.#count("done");
    if (this.#counters.counts.failed > 0) this.#checkBudget();
    this.#writeIfFull();
  }

  settled(item: PendingItem, settled: Settled): void {
    this.#hasNew = true;
    this.#record(item, settled);
    this.#writeIfFull();
  }

  #record({ key, attempt, json }: PendingItem, settled: Settled): void {
    const { index, book, ledger, sinks, hooks } = this.#options;
    if (settled.frames) sinks?.append(key, settled.frames);
    if (settled.amounts) this.#counters.add(settled.amounts);
    switch (settled.status) {
      case "done": {
        const again = this.#redoes && index.finishedEpoch(key) >= book.current;
        if (again || attempt > 1) ledger.appendDone(key, settled.durationMs, { attempts: attempt, again });
        else ledger.appendDone(key, settled.durationMs);
        this.#counters.ran(settled.durationMs, () => key);
        break;
      }
      case "filtered":
        ledger.appendFiltered(key, settled.durationMs, settled.reason ?? "", attempt);
        this.#counters.ran(settled.durationMs, () => key);
        break;
      case "failed":
        // The duration of an item that crashed its worker is unknown.
        if (settled.durationMs > 0) this.#counters.ran(settled.durationMs, () => key);
        return this.#failed(key, attempt, settled, parseJson(json));
    }
    this.#count(settled.status);
    hooks.onOutcome?.(outcomeOf(key, attempt, settled));
    // `--max-failures P%` applies from the thousandth outcome on, which may be one that has not failed.
    if (this.#counters.counts.failed > 0) this.#checkBudget();
  }

  #failed(key: string, attempts: number, settled: Settled, item: unknown): void {
    const { ledger, hooks } = this.#options;
    const error: ErrorRecord = settled.error ?? { name: "Error", message: "failed" };
    ledger.appendFailed({ key, attempts, ms: settled.durationMs, error, item });
    this.#count("failed");
    const isFirst = this.#counters.failed(key, error);
    hooks.onOutcome?.(outcomeOf(key, attempts, settled));
    if (isFirst) hooks.onFirstFailure?.(failureClassOf(error), key, error);
    this.#checkBudget();
  }

  #count(status: OutcomeStatus): void {
    this.#counters.count(status);
    if (this.#options.isOnlyShard) return;
    this.counts.total++;
    this.counts[status]++;
  }

  #checkBudget(): void {
    const over = this.#counters.overBudget(this.#options.settings.maxFailures);
    if (over) this.#options.stop(over, "drain");
  }

  // ── Writes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The outcomes of a message are complete: writes them now, or up to `WRITE_EVERY_MS` after the last write.
   * @param onRecorded called once they are written; at once where none of them is of this shard
   */
  messageDone(onRecorded?: () => void): void {
    if (onRecorded && this.#hasNew) this.#whenRecorded.push(onRecorded);
    else onRecorded?.();
    this.#hasNew = false;
    if (this.#timer || !this.#isPending) return;
    const wait = this.#lastWriteMs + WRITE_EVERY_MS - monotonicMs();
    if (wait <= 0) this.write();
    else this.#timer = setTimeout(() => this.write(), wait);
  }

  get #isPending(): boolean {
    return this.#options.ledger.pendingBytes > 0 || this.#whenRecorded.length > 0;
  }

  #writeIfFull(): void {
    if (this.#options.ledger.pendingBytes > MAX_PENDING_BYTES) this.write();
  }

  /** Writes what is buffered. Where that fails, the run stops, and the next run starts from what is on disk. */
  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#stopCause || !this.#isPending) return;
    try {
      this.commit();
    } catch (error) {
      this.#stopCause = asKagurazakaError(error);
      this.#options.stop(this.#stopCause, "now");
    }
  }

  /** Writes what is buffered. Throws where that fails; what could not be written is still buffered then. */
  commit(): void {
    const { sinks, lease, ledger } = this.#options;
    sinks?.flush();
    lease.assertHeld();
    ledger.flush();
    this.#lastWriteMs = this.lastRecordedMs = monotonicMs();
    for (const onRecorded of this.#whenRecorded.splice(0)) onRecorded();
  }

  /** Makes the ledger's segment, and waits until its beginning is on disk. */
  async begin(): Promise<void> {
    this.#options.lease.assertHeld();
    await this.#options.ledger.begin();
  }

  checkpoint(line: CheckpointLine): void {
    this.#options.ledger.appendCheckpoint(line);
    this.write();
  }

  /** Tries once more to write. Throws unless an earlier failure has stopped the run already. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    try {
      if (this.#isPending) this.commit();
    } catch (error) {
      this.#options.ledger.discard();
      if (!this.#stopCause) throw error;
    }
  }
}

function outcomeOf(key: string, attempts: number, settled: Settled): Outcome {
  return { key, attempts: settled.status === "cancelled" ? 0 : attempts, ...settled };
}
