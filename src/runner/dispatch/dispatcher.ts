import { MAX_TIMER_MS, monotonicMs } from "../../base/clock.js";
import { type ErrorRecord, KagurazakaError } from "../../base/errors.js";
import { activityLayout } from "../../contracts/activity.js";
import type { ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import type { FromWorker, WireOutcome } from "../../contracts/wire.js";
import { crashError, timeoutError, unfit, workersDie } from "./errors.js";
import { Feeder } from "./feeder.js";
import type { DispatcherOptions, Settled } from "./ports.js";
import { judgeFailure } from "./retry-policy.js";
import { Watch } from "./watch.js";
import type { WorkerHandle } from "./worker-handle.js";
import { WorkerPool } from "./worker-pool.js";

const MAX_FAILED_STARTS = 3;
/** After a defect of the plan or a stall, what runs has this long at most. */
const STALLED_GRACE_MS = 5000;

/**
 * Brings items to workers and outcomes back: the pool keeps the workers, the feeder what waits and who gets it; here is
 * decided what becomes of an item and when the run is over.
 *
 *   running ──drain()──▶ draining ──▶ closed
 *      └────────stop()─────────────────▲
 *
 * Running: the plan is pulled as far as workers have room; what failed waits for its next try; a worker that dies or hangs
 * is replaced. Draining: nothing new starts, what runs may settle. Closed: what is left was cancelled. Every item that
 * enters leaves through `onDone` or `onSettled`, exactly once.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #pool: WorkerPool;
  readonly #feeder: Feeder;
  readonly #watch: Watch;
  readonly #stoppedShards = new Set<number>();
  #state: "running" | "draining" | "closed" = "running";
  #cause: KagurazakaError | undefined;
  #pulling = false;
  #failedStarts = 0;
  #timer: { atMs: number; handle: NodeJS.Timeout } | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  #finish: () => void = () => {};

  constructor(options: DispatcherOptions) {
    const { session, setupOf, guard, settings, workers, events } = options;
    this.#options = options;
    this.#pool = new WorkerPool({
      session,
      setupOf,
      guard,
      graceMs: settings.grace,
      onMessage: (worker, message) => this.#onMessage(worker, message),
      onLost: (worker, error, wasStarting) => this.#onLost(worker, error, wasStarting),
    });
    this.#feeder = new Feeder({
      pool: this.#pool,
      settings,
      workers,
      onChunkSent: events.onChunkSent,
    });
    this.#watch = new Watch(settings, {
      handles: () => this.#pool.handles,
      onTimeout: (worker, seq) => this.#tellToStop(worker, seq),
      onHopeless: (worker, why) => this.#giveUpOn(worker, why),
      onStalled: (message) =>
        this.drain(Math.min(settings.grace, STALLED_GRACE_MS), new KagurazakaError("stalled", message)),
      onWarning: (message) => events.onWarning(message),
      pending: () => this.#feeder.inFlight,
    });
  }

  /** Runs to the end. Resolves with what stopped it early, if anything did; rejects only on defects. */
  run(): Promise<KagurazakaError | undefined> {
    return new Promise((resolve) => {
      this.#finish = () => resolve(this.#cause);
      for (let i = 0; i < this.#options.workers; i++) this.#pool.add();
      this.#watch.start();
      this.#pump();
    });
  }

  /** Lets what runs settle, starts nothing more. After `graceMs` the rest is cancelled. */
  drain(graceMs: number, cause?: KagurazakaError): void {
    if (this.#state !== "running") return;
    this.#cause ??= cause;
    this.#state = "draining";
    this.#cancelWaiting(() => true);
    this.#pool.holdAll();
    this.#graceTimer = setTimeout(() => this.stop(), Math.min(MAX_TIMER_MS, graceMs));
    this.#checkEnd();
  }

  /** Ends now: workers are killed, what was under way is cancelled. */
  stop(cause?: KagurazakaError): void {
    if (this.#state === "closed") return;
    this.#cause ??= cause;
    this.#close();
  }

  /** Starts nothing more of one shard; what runs of it may settle. */
  stopShard(shard: number): void {
    this.#stoppedShards.add(shard);
    this.#cancelWaiting((header) => header.shard === shard);
    this.#pump();
  }

  /** Every worker is replaced by one of what `session` gives now, each when it has nothing left. */
  renewWorkers(): void {
    if (this.#state === "running") this.#pool.renewAll();
  }

  get inFlight(): number {
    return this.#feeder.inFlight;
  }

  get waiting(): number {
    return this.#feeder.waiting;
  }

  /** What runs now, oldest first. */
  running(): { key: string; sinceMs: number }[] {
    const now = monotonicMs();
    return this.#pool.handles
      .flatMap((worker) => worker.running())
      .map(({ key, startedMs }) => ({ key, sinceMs: now - startedMs }))
      .sort((a, b) => b.sinceMs - a.sinceMs);
  }

  // ── Workers speak, and are lost ──────────────────────────────────────────────────────────────────────────────────────

  #onMessage(worker: WorkerHandle, message: FromWorker): void {
    if (this.#state === "closed" && message.type !== "print" && message.type !== "log") return;
    switch (message.type) {
      case "settled":
        return this.#onOutcomes(worker, message.plain, message.rest);
      case "ready":
        if (worker.state === "starting") worker.state = "ready";
        return this.#pump();
      case "unfit":
        return this.stop(unfit(message.error));
      case "held":
        return this.#onHeld(worker, message.unstarted);
      case "worn":
        this.#pool.wornOut(worker);
        this.#options.events.onRecycled(worker.id, message.why);
        return this.#pump();
      case "spawned":
        return worker.addChild(message.seq, message.pid);
      case "print":
      case "log":
        return this.#options.events.onMessage(worker.id, message);
      case "closed":
        return;
    }
  }

  #onLost(worker: WorkerHandle, error: ErrorRecord | null, wasStarting: boolean): void {
    if (this.#state === "closed") return;
    const running = worker.running();
    if (error === null) this.#settleEnded(worker, running.length);
    else if (running.length === 1) this.#blame(worker, running[0]!, error);
    else for (const { seq } of running) this.#feeder.suspect(this.#feeder.takeItem(worker, seq)!);
    for (const seq of worker.inFlight.seqs()) this.#takeBack(this.#feeder.takeItem(worker, seq)!);
    // Counted until an item settles: workers that cannot work are not replaced for ever.
    if ((wasStarting || (error && running.length === 0)) && ++this.#failedStarts >= MAX_FAILED_STARTS)
      return this.stop(workersDie(wasStarting, error));
    if (error && running.length === 0)
      this.#options.events.onWarning(`a worker died between items and is replaced: ${error.message}`);
    if (this.#state === "running") this.#pool.add();
    this.#options.events.onMessageDone();
    this.#options.events.onWorkerGone(worker);
    this.#pump();
  }

  /** It alone was running when its worker died. Twice is proof, where nothing else had run in that worker. */
  #blame(worker: WorkerHandle, suspect: { seq: number }, error: ErrorRecord): void {
    const item = this.#feeder.takeItem(worker, suspect.seq)!;
    if (worker.given === 1) item.crashes++;
    else if (worker.quarantined) item.needsFreshWorker = true;
    if (item.crashes < 2) return this.#feeder.suspect(item);
    this.#settle(item, { status: "failed", durationMs: 0, error: crashError(error) });
  }

  #onHeld(worker: WorkerHandle, unstarted: readonly number[]): void {
    for (const seq of unstarted.toReversed()) {
      const item = this.#feeder.takeItem(worker, seq);
      if (item) this.#takeBack(item);
    }
    this.#pump();
  }

  #takeBack(item: PendingItem): void {
    if (this.#mayRun(item)) this.#feeder.putBack(item);
    else this.#cancel(item);
  }

  #mayRun({ header }: { readonly header: ChunkHeader }): boolean {
    return this.#state === "running" && !this.#stoppedShards.has(header.shard);
  }

  // ── Time limits ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #tellToStop(worker: WorkerHandle, seq: number): void {
    worker.timedOut.set(seq, { atMs: monotonicMs(), abortsSeen: worker.activity[activityLayout.abortsSeen]! });
    worker.channel.send({ type: "abort", seq, reason: "timeout" });
  }

  /** An item did not settle after its time limit. Its worker takes nothing new; when the others are through, it goes. */
  #giveUpOn(worker: WorkerHandle, why: "blocked" | "unsettled" | "settled"): void {
    if (why === "unsettled") return this.#pool.hold(worker);
    worker.blocked = why === "blocked";
    worker.channel.kill();
    if (this.#options.killable) return;
    this.#options.events.onWarning(
      "inline cannot stop an item that ignores ctx.signal; it is left behind in this process",
    );
  }

  /**
   * We have ended it, because of items over their time limit. Where its loop stood still, one of those under way did that
   * and the time of the others ran out for it: alone, each gets its own.
   */
  #settleEnded(worker: WorkerHandle, running: number): void {
    const limitMs = this.#options.settings.timeout!;
    for (const seq of [...worker.timedOut.keys()]) {
      const item = this.#feeder.takeItem(worker, seq);
      if (!item) continue;
      if (worker.blocked && running > 1) this.#feeder.suspect(item);
      else this.#onFailed(item, timeoutError(limitMs), limitMs);
    }
  }

  // ── Outcomes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onOutcomes(worker: WorkerHandle, plain: Float64Array, rest: readonly WireOutcome[]): void {
    const { events } = this.#options;
    let totalMs = 0;
    this.#failedStarts = 0;
    // Many of them a second: the feeder is told once.
    let taken = 0;
    for (let i = 0; i < plain.length; i += 2) {
      const place = worker.take(plain[i]!);
      if (!place) continue;
      taken++;
      const durationMs = plain[i + 1]!;
      totalMs += durationMs;
      events.onDone(place.chunk, place.index, durationMs);
    }
    this.#feeder.left(taken);
    this.#feeder.succeeded(plain.length / 2);
    for (const outcome of rest) {
      totalMs += outcome.durationMs;
      this.#onOutcome(worker, outcome);
    }
    this.#feeder.settled(plain.length / 2 + rest.length, totalMs);
    this.#watch.settled();
    if (worker.quarantined && worker.inFlight.size === 0) worker.quarantined = false;
    events.onMessageDone();
    this.#pump();
  }

  #onOutcome(worker: WorkerHandle, { seq, ...outcome }: WireOutcome): void {
    const timedOut = worker.timedOut.has(seq);
    const item = this.#feeder.takeItem(worker, seq);
    if (!item) return;
    if (outcome.status === "failed") {
      const error = timedOut ? timeoutError(this.#options.settings.timeout!, outcome.error) : outcome.error!;
      return this.#onFailed(item, error, outcome.durationMs);
    }
    // Finished after all, even when it was told to stop: what was published stays.
    this.#feeder.succeeded(1);
    this.#settle(item, outcome);
  }

  #onFailed(item: PendingItem, error: ErrorRecord, durationMs: number): void {
    const { settings, permanentErrors, events } = this.#options;
    const verdict = judgeFailure(error, item.attempt, settings, permanentErrors, Math.random);
    if (verdict.do === "give-up") return this.#settle(item, { status: "failed", durationMs, error });
    if (verdict.do === "stop") {
      this.#cancel(item, durationMs);
      return events.onShardFailed(
        item.header.shard,
        new KagurazakaError("environment", `${error.message} (while processing ${item.key})`, {
          hint: "Make room or mend it, then run the same command: it goes on from here.",
        }),
      );
    }
    if (!this.#mayRun(item)) return this.#cancel(item, durationMs);
    if (verdict.do === "wait") return this.#feeder.pause(item, verdict.scope, verdict.delayMs);
    item.attempt++;
    events.onRetry(item, error, verdict.delayMs);
    this.#feeder.wait(item, verdict.delayMs);
  }

  #settle(item: PendingItem, settled: Settled): void {
    this.#options.events.onSettled(item, settled);
  }

  #cancel(item: PendingItem, durationMs = 0): void {
    this.#settle(item, { status: "cancelled", durationMs });
  }

  #cancelWaiting(wanted: (header: ChunkHeader) => boolean): void {
    for (const item of this.#feeder.drain(wanted)) this.#cancel(item);
  }

  // ── The way on ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #pump(): void {
    if (this.#state === "running") {
      const now = monotonicMs();
      this.#pool.relieve();
      this.#feeder.feed(now);
      this.#pull();
      this.#setTimer(now);
    }
    this.#checkEnd();
  }

  #pull(): void {
    if (this.#pulling || !this.#feeder.wantsMore) return;
    this.#pulling = true;
    this.#options.plan.next().then(
      ({ done, value }) => {
        this.#pulling = false;
        if (done) return this.#endList();
        this.#feeder.push(value);
        if (!this.#mayRun(value)) this.#cancelWaiting((header) => header === value.header);
        this.#pump();
      },
      (error) => {
        this.#pulling = false;
        // What was listed before is finished and recorded.
        this.#cause ??= KagurazakaError.is(error)
          ? error
          : new KagurazakaError("internal", `the plan failed: ${(error as Error).message}`, { cause: error });
        this.#endList();
      },
    );
  }

  #endList(): void {
    this.#feeder.listEnded = true;
    this.#pump();
  }

  /** One timer for the next moment at which time alone changes something. */
  #setTimer(now: number): void {
    const atMs = this.#feeder.nextMs(now);
    if (this.#timer?.atMs === atMs) return;
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const handle = setTimeout(
      () => {
        this.#timer = undefined;
        this.#pump();
      },
      // After the longest one, the rest is waited for.
      Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(atMs - now))),
    );
    this.#timer = { atMs, handle };
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #checkEnd(): void {
    if (this.#state === "closed" || this.#feeder.inFlight > 0) return;
    if (this.#state === "running" && (!this.#feeder.listEnded || this.#feeder.waiting > 0)) return;
    this.#close();
  }

  #close(): void {
    const orderly = this.#feeder.inFlight === 0;
    this.#state = "closed";
    clearTimeout(this.#timer?.handle);
    clearTimeout(this.#graceTimer);
    this.#watch.stop();
    this.#cancelWaiting(() => true);
    for (const worker of this.#pool.handles) this.#abandon(worker);
    this.#options.events.onMessageDone();
    void this.#options.plan.return?.().catch(() => {});
    if (!orderly) this.#pool.killAll();
    void (orderly ? this.#pool.close() : Promise.resolve()).then(() => this.#finish());
  }

  #abandon(worker: WorkerHandle): void {
    // Where a worker cannot be killed, its items can still hear that they are not wanted any more.
    for (const { seq } of worker.running()) worker.channel.send({ type: "abort", seq, reason: "cancelled" });
    // First, for an item that is taken away is no longer known by its children.
    worker.killChildren();
    for (const seq of worker.inFlight.seqs()) this.#cancel(this.#feeder.takeItem(worker, seq)!);
  }
}
