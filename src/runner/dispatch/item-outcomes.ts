import { monotonicMs } from "../../base/clock.js";
import { type ErrorRecord, KagurazakaError, timeoutRecord } from "../../base/errors.js";
import type { ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import type { ExecutionEvents } from "../../contracts/execution.js";
import type { Settled } from "../../contracts/outcome.js";
import type { WireOutcome } from "../../contracts/wire.js";
import { crashError } from "./errors.js";
import type { Feeder } from "./feeder.js";
import type { DispatcherOptions } from "./ports.js";
import { judgeFailure } from "./retry-policy.js";
import type { RunningItem, WorkerHandle } from "./worker-handle.js";

interface ItemOutcomesOptions extends Pick<DispatcherOptions, "settings" | "permanentErrors"> {
  readonly feeder: Feeder;
  readonly events: () => ExecutionEvents;
  /** Whether an item with this header may start, or start again. */
  mayRun(header: ChunkHeader): boolean;
}

/** Decides what becomes of an item that leaves its worker: settled, retried, requeued, suspected of a crash, or cancelled. */
export class ItemOutcomes {
  readonly #options: ItemOutcomesOptions;

  constructor(options: ItemOutcomesOptions) {
    this.#options = options;
  }

  /** Handles one message with outcomes. Returns how many items have settled, or have used up an attempt. */
  settle(worker: WorkerHandle, plain: Float64Array, rest: readonly WireOutcome[]): number {
    const { feeder } = this.#options;
    const events = this.#options.events();
    let totalMs = 0;
    // Many outcomes arrive per second: the feeder is updated once per message.
    let taken = 0;
    const { hasScopes } = feeder;
    for (let i = 0; i < plain.length; i += 2) {
      const isTold = worker.isTold(plain[i]!);
      const ref = worker.take(plain[i]!);
      if (!ref) continue;
      taken++;
      if (isTold) continue;
      const durationMs = plain[i + 1]!;
      totalMs += durationMs;
      if (hasScopes) feeder.succeeded(plain[i]!, durationMs);
      events.onDone(ref.chunk, ref.index, durationMs);
    }
    feeder.left(taken);
    let settled = taken;
    for (const outcome of rest) {
      totalMs += outcome.durationMs;
      if (this.#settleOne(worker, outcome)) settled++;
    }
    feeder.settled(plain.length / 2 + rest.length, totalMs);
    if (worker.quarantined && worker.inFlight.size === 0) worker.quarantined = false;
    return settled;
  }

  /** Returns false for an item that asked for patience, whose outcome is told, or that is not at this worker. */
  #settleOne(worker: WorkerHandle, { seq, ...outcome }: WireOutcome): boolean {
    const { feeder } = this.#options;
    const item = feeder.takeItem(worker, seq);
    if (!item) return false;
    if (outcome.status === "failed") return this.#fail(item, outcome.error!, outcome.durationMs);
    if (feeder.hasScopes) feeder.succeeded(seq, outcome.durationMs, item);
    this.#tell(item, outcome);
    return true;
  }

  /** Returns false when the item asked for patience. */
  #fail(item: PendingItem, error: ErrorRecord, durationMs: number): boolean {
    const { settings, permanentErrors, feeder } = this.#options;
    const events = this.#options.events();
    const verdict = judgeFailure(error, item.attempt, settings, permanentErrors, Math.random);
    if (verdict.do === "give-up") {
      this.#tell(item, { status: "failed", durationMs, error });
      return true;
    }
    if (verdict.do === "stop") {
      this.cancel(item, durationMs);
      const cause = new KagurazakaError("environment", `${error.message} (while processing ${item.key})`, {
        hint: "Free disk space or restore the directory, then run the same command again: it continues from here.",
      });
      events.onShardFailed(item.header.shard, cause);
      return true;
    }
    if (!this.#options.mayRun(item.header)) {
      this.cancel(item, durationMs);
      return true;
    }
    if (verdict.do === "wait") {
      feeder.ask(item, { ...verdict, durationMs });
      return false;
    }
    item.attempt++;
    events.onRetry(item, error, verdict.delayMs);
    feeder.retryAfter(item, verdict.delayMs);
    return true;
  }

  /** Items that their worker returned without starting them. */
  giveBack(worker: WorkerHandle, unstarted: readonly number[]): void {
    for (const seq of unstarted.toReversed()) {
      const item = this.#options.feeder.takeItem(worker, seq);
      if (item) this.#putBack(item);
    }
  }

  /** Requeues all items of a worker that ended without any item being the cause. */
  putBackAll(worker: WorkerHandle): void {
    for (const seq of worker.inFlight.seqs().toReversed()) {
      const item = this.#options.feeder.takeItem(worker, seq);
      if (item) this.#putBack(item);
    }
  }

  #putBack(item: PendingItem): void {
    if (this.#options.mayRun(item.header)) this.#options.feeder.putBack(item);
    else this.cancel(item);
  }

  /** A worker crashed: one of its running items may be the cause. */
  onCrash(worker: WorkerHandle, error: ErrorRecord): void {
    const { feeder } = this.#options;
    const running = worker.running();
    if (running.length !== 1) {
      for (const { seq } of running) {
        const item = feeder.takeItem(worker, seq);
        if (item) this.#suspect(item);
      }
      return;
    }
    const item = feeder.takeItem(worker, running[0]!.seq);
    if (!item) return;
    // Two crashes prove the cause when no other item had run in that worker.
    if (worker.given === 1) item.crashes++;
    else if (worker.quarantined) item.needsFreshWorker = true;
    if (item.crashes < 2) return this.#suspect(item);
    this.#tell(item, { status: "failed", durationMs: 0, error: crashError(error) });
  }

  /**
   * A worker was killed because of items over their time limit. If its event loop was blocked, one running item blocked it
   * and used up the time of the others: in quarantine, each runs alone with its full time.
   */
  onKilledForTimeout(worker: WorkerHandle): void {
    const { feeder, settings } = this.#options;
    const limitMs = settings.timeout!;
    const wasRunning = worker.running().length;
    for (const seq of [...worker.timedOut.keys()]) {
      const item = feeder.takeItem(worker, seq);
      if (!item) continue;
      if (worker.blocked && wasRunning > 1) this.#suspect(item);
      else this.#fail(item, timeoutRecord(limitMs), limitMs);
    }
  }

  /** The item goes on although its time is up. Unless it is tried again, its failure is told now, and what it makes is dropped. */
  onOverdue(worker: WorkerHandle, { seq, startedMs }: RunningItem): void {
    const { settings, permanentErrors } = this.#options;
    const ref = worker.inFlight.find(seq);
    if (!ref) return;
    const item = ref.chunk.itemAt(ref.index);
    const error = timeoutRecord(settings.timeout!);
    const isOver = judgeFailure(error, item.attempt, settings, permanentErrors, Math.random).do === "give-up";
    worker.timedOut.get(seq)!.fate = isOver ? "told" : "retried";
    if (isOver) this.#tell(item, { status: "failed", durationMs: monotonicMs() - startedMs, error });
  }

  /** The item runs again, alone in a worker, unless items of its shard may not start. */
  #suspect(item: PendingItem): void {
    if (this.#options.mayRun(item.header)) this.#options.feeder.suspect(item);
    else this.cancel(item);
  }

  cancel(item: PendingItem, durationMs = 0): void {
    this.#tell(item, { status: "cancelled", durationMs });
  }

  /** Cancels waiting items. */
  cancelWaiting(wanted: (header: ChunkHeader) => boolean): void {
    for (const item of this.#options.feeder.drain(wanted)) this.cancel(item);
  }

  /** Cancels the items in flight at a worker. */
  cancelAll(worker: WorkerHandle): void {
    // A worker that cannot be killed still gets abort messages for its items.
    for (const { seq } of worker.running()) worker.channel.send({ type: "abort", seq, reason: "cancelled" });
    worker.channel.processes?.killAll();
    for (const seq of worker.inFlight.seqs()) {
      const item = this.#options.feeder.takeItem(worker, seq);
      if (item) this.cancel(item);
    }
  }

  #tell(item: PendingItem, settled: Settled): void {
    this.#options.events().onSettled(item, settled);
  }
}
