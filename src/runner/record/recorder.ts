import { monotonicMs } from "../../base/clock.js";
import { asKagurazakaError, type ErrorRecord, failureClassOf, type KagurazakaError } from "../../base/errors.js";
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

/** Outcomes younger than this may share a write with the next ones. */
const WRITE_EVERY_MS = 5;
/** With more than this buffered, outcomes are written at once. */
const MAX_PENDING_BYTES = 256 * 1024;

export interface RecorderOptions {
  readonly settings: Pick<RunSettings, "maxFailures">;
  readonly index: Pick<LedgerIndex, "segments" | "finishedEpoch">;
  readonly book: Pick<EpochBook, "current">;
  readonly ledger: Ledger;
  readonly lease: Pick<Lease, "assertHeld">;
  /** Where frames of outcomes go, for a task that has sinks. */
  readonly sinks?: SinkWriter | undefined;
  readonly hooks: RunHooks;
  /** Of the whole run. */
  readonly counters: RunCounters;
  readonly isOnlyShard: boolean;
  /** Something is so wrong that the run has to stop: at once, or after running items have settled. */
  readonly stop: (cause: KagurazakaError, how: "now" | "drain") => void;
}

/**
 * Writes down what became of each item of one shard. A write has three steps, in this order:
 *
 *   sinks.flush() ─▶ lease.assertHeld() ─▶ ledger.flush()
 *
 * So an item that the ledger calls done has its rows on file, and a coordinator that has lost its lease records nothing.
 */
export class Recorder {
  /** Of this shard alone; where it is the only one, those of the run. */
  readonly counts: OutcomeCounts;
  readonly #options: RecorderOptions;
  readonly #counters: RunCounters;
  readonly #redoes: boolean;
  #whenRecorded: (() => void)[] = [];
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

  /** Why outcomes could not be written down. It may be the last of them, when there is nothing left to stop. */
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

  /** Done, with nothing to add: the way nearly all items go, so nothing is made that is not asked for. */
  done(chunk: Chunk, index: number, durationMs: number): void {
    const key = this.#redoes || this.#options.hooks.onOutcome ? undefined : chunk.keyBytesAt(index);
    if (!key) return this.settled(chunk.itemAt(index), { status: "done", durationMs });
    this.#options.ledger.appendDoneName(key, durationMs);
    this.#counters.ran(durationMs, () => chunk.keyAt(index));
    this.#count("done");
    if (this.#counters.counts.failed > 0) this.#checkBudget();
    this.#writeIfFull();
  }

  settled(item: PendingItem, settled: Settled): void {
    this.#record(item, settled);
    this.#writeIfFull();
  }

  #record({ key, attempt, json }: PendingItem, settled: Settled): void {
    const { index, book, ledger, sinks, hooks } = this.#options;
    if (settled.frames) sinks?.append(key, settled.frames);
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
        // A crash has no duration that could have been measured.
        if (settled.durationMs > 0) this.#counters.ran(settled.durationMs, () => key);
        return this.#failed(key, attempt, settled, JSON.parse(json));
    }
    this.#count(settled.status);
    if (hooks.onOutcome) hooks.onOutcome(outcomeOf(key, attempt, settled));
    // A share is judged from the thousandth outcome on, whichever that is.
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
   * Outcomes have come in: writes them, a few milliseconds later when there are many.
   * @param onRecorded called once they are on record
   */
  messageDone(onRecorded?: () => void): void {
    if (onRecorded) this.#whenRecorded.push(onRecorded);
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

  /** What cannot be recorded did not happen: the run ends, and the next one goes on from what is on disk. */
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

  /** Writes what is buffered now. Throws where that fails; then what could not be written is still buffered. */
  commit(): void {
    const { sinks, lease, ledger } = this.#options;
    sinks?.flush();
    lease.assertHeld();
    ledger.flush();
    this.#lastWriteMs = this.lastRecordedMs = monotonicMs();
    for (const onRecorded of this.#whenRecorded.splice(0)) onRecorded();
  }

  /** Makes the ledger's file, and waits until its beginning is on disk, where a later boot finds it. */
  async begin(): Promise<void> {
    this.#options.lease.assertHeld();
    await this.#options.ledger.begin();
  }

  /** A checkpoint goes out with what was recorded before it. */
  checkpoint(line: CheckpointLine): void {
    this.#options.ledger.appendCheckpoint(line);
    this.write();
  }

  /** One last try to write; an error that has stopped the run already is not told twice. */
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
