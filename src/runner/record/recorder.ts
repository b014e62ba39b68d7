import { monotonicMs } from "../../base/clock.js";
import { type ErrorRecord, failureClassOf, KagurazakaError } from "../../base/errors.js";
import type { Chunk, PendingItem } from "../../contracts/chunk.js";
import { emptyCounts, type Outcome, type OutcomeCounts, type OutcomeStatus } from "../../contracts/outcome.js";
import type { RunSettings } from "../../contracts/run-config.js";
import type { RunHooks } from "../../contracts/run-hooks.js";
import type { Settled } from "../dispatch/ports.js";
import type { CheckpointLine, EpochBook, Ledger, LedgerIndex } from "../ledger/index.js";
import type { Refusal } from "../plan/candidates.js";
import type { RunCounters } from "./run-counters.js";

/** Outcomes younger than this may share a write with the next ones. */
const WRITE_EVERY_MS = 5;

export interface RecorderOptions {
  readonly settings: RunSettings;
  readonly index: LedgerIndex;
  readonly book: EpochBook;
  readonly ledger: Ledger;
  readonly hooks: RunHooks;
  /** Of the whole run. */
  readonly tally: RunCounters;
  readonly isOnlyShard: boolean;
  /** Something is so wrong that the run has to stop: at once, or after what runs has settled. */
  readonly stop: (cause: KagurazakaError, how: "now" | "drain") => void;
}

/** Writes down what became of each item: the ledger first, then the counts people see. */
export class Recorder {
  /** Of this shard alone; where it is the only one, those of the run. */
  readonly counts: OutcomeCounts;
  readonly #tally: RunCounters;
  readonly #options: RecorderOptions;
  readonly #redoes: boolean;
  #timer: NodeJS.Timeout | undefined;
  #lastWriteMs = 0;
  #trouble: KagurazakaError | undefined;
  lastRecordedMs: number | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#tally = options.tally;
    this.counts = options.isOnlyShard ? options.tally.counts : emptyCounts();
    this.#redoes = options.index.segments.length > 0;
  }

  skipped(key: string, reason: string): void {
    this.#count("skipped");
    this.#options.hooks.onOutcome?.({ key, status: "skipped", attempts: 0, durationMs: 0, reason });
  }

  refused({ key, item, error }: Refusal): void {
    try {
      this.#failed(key, 0, { status: "failed", durationMs: 0, error }, () => item);
    } catch (error) {
      this.#break(error);
    }
  }

  /** Done, with nothing to add: the way nearly all items go, so nothing is made that nobody asked for. */
  done(chunk: Chunk, index: number, durationMs: number): void {
    const name = this.#redoes || this.#options.hooks.onOutcome ? undefined : chunk.nameAt(index);
    if (!name) return this.settled(chunk.itemAt(index), { status: "done", durationMs });
    try {
      this.#options.ledger.appendDoneName(name, durationMs);
    } catch (error) {
      return this.#break(error);
    }
    this.#tally.ran(durationMs, () => chunk.keyAt(index));
    this.#count("done");
    if (this.#tally.counts.failed > 0) this.#checkBudget();
  }

  settled(pending: PendingItem, settled: Settled): void {
    try {
      this.#record(pending, settled);
    } catch (error) {
      // A full buffer writes itself, so recording can meet the disk's errors too.
      this.#break(error);
    }
  }

  #record(pending: PendingItem, settled: Settled): void {
    const { key, attempt } = pending;
    const { index, book, ledger, hooks } = this.#options;
    switch (settled.status) {
      case "done": {
        const again = this.#redoes && index.finishedEpoch(key) >= book.current;
        if (again || attempt > 1) ledger.appendDone(key, settled.durationMs, { attempts: attempt, again });
        else ledger.appendDone(key, settled.durationMs);
        this.#tally.ran(settled.durationMs, () => key);
        break;
      }
      case "filtered":
        ledger.appendFiltered(key, settled.durationMs, settled.reason ?? "", attempt);
        this.#tally.ran(settled.durationMs, () => key);
        break;
      case "failed":
        // A crash has no duration that anybody could have measured.
        if (settled.durationMs > 0) this.#tally.ran(settled.durationMs, () => key);
        return this.#failed(key, attempt, settled, () => JSON.parse(pending.json));
    }
    this.#count(settled.status);
    if (hooks.onOutcome) hooks.onOutcome(outcomeOf(key, attempt, settled));
    // A share is judged from the thousandth outcome on, whichever that is.
    if (this.#tally.counts.failed > 0) this.#checkBudget();
  }

  #failed(key: string, attempts: number, settled: Settled, item: () => unknown): void {
    const { ledger, hooks } = this.#options;
    const error: ErrorRecord = settled.error ?? { name: "Error", message: "failed" };
    ledger.appendFailed({ key, attempts, ms: settled.durationMs, error, item: item() });
    this.#count("failed");
    const first = this.#tally.failed(key, error);
    hooks.onOutcome?.(outcomeOf(key, attempts, settled));
    if (first) hooks.onFirstFailure?.(failureClassOf(error), key, error);
    this.#checkBudget();
  }

  #count(status: OutcomeStatus): void {
    this.#tally.count(status);
    if (this.#options.isOnlyShard) return;
    this.counts.total++;
    this.counts[status]++;
  }

  #checkBudget(): void {
    const over = this.#tally.overBudget(this.#options.settings.maxFailures);
    if (over) this.#options.stop(over, "drain");
  }

  /** Outcomes have come in: writes them, a few milliseconds later when there are many. */
  batch(): void {
    if (this.#timer || this.#options.ledger.pendingBytes === 0) return;
    const wait = this.#lastWriteMs + WRITE_EVERY_MS - monotonicMs();
    if (wait <= 0) this.write();
    else this.#timer = setTimeout(() => this.write(), wait);
  }

  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#trouble || this.#options.ledger.pendingBytes === 0) return;
    try {
      this.#options.ledger.flush();
      this.#lastWriteMs = this.lastRecordedMs = monotonicMs();
    } catch (error) {
      this.#break(error);
    }
  }

  /** A checkpoint goes out with what was recorded before it. */
  checkpoint(line: CheckpointLine): void {
    try {
      this.#options.ledger.appendCheckpoint(line);
      this.#options.ledger.flush();
    } catch (error) {
      this.#break(error);
    }
  }

  /** What cannot be recorded did not happen: the run ends, and the next one goes on from what is on disk. */
  #break(error: unknown): void {
    if (this.#trouble) return;
    this.#trouble = KagurazakaError.is(error)
      ? error
      : new KagurazakaError("internal", (error as Error).message, { cause: error });
    this.#options.stop(this.#trouble, "now");
  }

  /** Why outcomes could not be written down. It may be the last of them, when there is nothing left to stop. */
  get stopCause(): KagurazakaError | undefined {
    return this.#trouble;
  }
}

function outcomeOf(key: string, attempts: number, settled: Settled): Outcome {
  return { key, attempts: settled.status === "cancelled" ? 0 : attempts, ...settled };
}
