import { MAX_TIMER_MS, monotonicMs } from "../../base/clock.js";
import { type ErrorRecord, KagurazakaError } from "../../base/errors.js";
import { type FromWorker, marksLayout, type WireOutcome } from "../../contracts/wire.js";
import type { Envelope, Terms } from "../plan/parcel.js";
import { Crew } from "./crew.js";
import { crashError, timeoutError, unfit, workersDie } from "./errors.js";
import { Feeder } from "./feeder.js";
import type { DispatcherOptions, Settled } from "./ports.js";
import { judgeFailure } from "./retry-policy.js";
import type { Seat } from "./seat.js";
import { Watch } from "./watch.js";

const MAX_FAILED_STARTS = 3;
/** After a defect of the plan or a stall, what runs has this long at most. */
const STALLED_GRACE_MS = 5000;

/**
 * Brings items to workers and outcomes back: the crew keeps the workers, the feeder what waits and who gets it; here is
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
  readonly #crew: Crew;
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
    this.#crew = new Crew({
      session,
      setupOf,
      guard,
      graceMs: settings.grace,
      onMessage: (seat, message) => this.#onMessage(seat, message),
      onLost: (seat, error, wasStarting) => this.#onLost(seat, error, wasStarting),
    });
    this.#feeder = new Feeder({
      crew: this.#crew,
      settings,
      workers,
      onSent: events.onSent,
    });
    this.#watch = new Watch(settings, {
      seats: () => this.#crew.seats,
      onTimeout: (seat, seq) => this.#tellToStop(seat, seq),
      onHopeless: (seat, why) => this.#giveUpOn(seat, why),
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
      for (let i = 0; i < this.#options.workers; i++) this.#crew.add();
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
    this.#crew.holdAll();
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
    this.#cancelWaiting((terms) => terms.shard === shard);
    this.#pump();
  }

  /** Every worker is replaced by one of what `session` gives now, each when it has nothing left. */
  renewWorkers(): void {
    if (this.#state === "running") this.#crew.renewAll();
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
    return this.#crew.seats
      .flatMap((seat) => seat.running())
      .map(({ key, startedMs }) => ({ key, sinceMs: now - startedMs }))
      .sort((a, b) => b.sinceMs - a.sinceMs);
  }

  // ── Workers speak, and are lost ──────────────────────────────────────────────────────────────────────────────────────

  #onMessage(seat: Seat, message: FromWorker): void {
    if (this.#state === "closed" && message.type !== "print" && message.type !== "log") return;
    switch (message.type) {
      case "settled":
        return this.#onOutcomes(seat, message.plain, message.rest);
      case "ready":
        if (seat.state === "starting") seat.state = "ready";
        return this.#pump();
      case "unfit":
        return this.stop(unfit(message.error));
      case "held":
        return this.#onHeld(seat, message.unstarted);
      case "worn":
        this.#crew.wornOut(seat);
        this.#options.events.onWorn(seat.id, message.why);
        return this.#pump();
      case "spawned":
        return seat.addChild(message.seq, message.pid);
      case "print":
      case "log":
        return this.#options.events.onMessage(seat.id, message);
      case "closed":
        return;
    }
  }

  #onLost(seat: Seat, error: ErrorRecord | null, wasStarting: boolean): void {
    if (this.#state === "closed") return;
    const running = seat.running();
    if (error === null) this.#settleEnded(seat, running.length);
    else if (running.length === 1) this.#blame(seat, running[0]!, error);
    else for (const { seq } of running) this.#feeder.suspect(this.#feeder.takeEnvelope(seat, seq)!);
    for (const seq of seat.inFlight.seqs()) this.#takeBack(this.#feeder.takeEnvelope(seat, seq)!);
    // Counted until an item settles: workers that cannot work are not replaced for ever.
    if ((wasStarting || (error && running.length === 0)) && ++this.#failedStarts >= MAX_FAILED_STARTS)
      return this.stop(workersDie(wasStarting, error));
    if (error && running.length === 0)
      this.#options.events.onWarning(`a worker died between items and is replaced: ${error.message}`);
    if (this.#state === "running") this.#crew.add();
    this.#options.events.onBatch();
    this.#options.events.onWorkerGone(seat);
    this.#pump();
  }

  /** It alone was running when its worker died. Twice is proof, where nothing else had run in that worker. */
  #blame(seat: Seat, suspect: { seq: number }, error: ErrorRecord): void {
    const envelope = this.#feeder.takeEnvelope(seat, suspect.seq)!;
    if (seat.given === 1) envelope.crashes++;
    else if (seat.alone) envelope.needsFreshWorker = true;
    if (envelope.crashes < 2) return this.#feeder.suspect(envelope);
    this.#settle(envelope, { status: "failed", durationMs: 0, error: crashError(error) });
  }

  #onHeld(seat: Seat, unstarted: readonly number[]): void {
    for (const seq of unstarted.toReversed()) {
      const envelope = this.#feeder.takeEnvelope(seat, seq);
      if (envelope) this.#takeBack(envelope);
    }
    this.#pump();
  }

  #takeBack(envelope: Envelope): void {
    if (this.#mayRun(envelope)) this.#feeder.putBack(envelope);
    else this.#cancel(envelope);
  }

  #mayRun({ terms }: { readonly terms: Terms }): boolean {
    return this.#state === "running" && !this.#stoppedShards.has(terms.shard);
  }

  // ── Time limits ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #tellToStop(seat: Seat, seq: number): void {
    seat.timedOut.set(seq, { atMs: monotonicMs(), abortsSeen: seat.marks[marksLayout.abortsSeen]! });
    seat.channel.send({ type: "abort", seq, reason: "timeout" });
  }

  /** An item did not settle after its time limit. Its worker takes nothing new; when the others are through, it goes. */
  #giveUpOn(seat: Seat, why: "blocked" | "unsettled" | "settled"): void {
    if (why === "unsettled") return this.#crew.hold(seat);
    seat.blocked = why === "blocked";
    seat.channel.kill();
    if (this.#options.killable) return;
    this.#options.events.onWarning(
      "inline cannot stop an item that ignores ctx.signal; it is left behind in this process",
    );
  }

  /**
   * We have ended it, because of items over their time limit. Where its loop stood still, one of those under way did that
   * and the time of the others ran out for it: alone, each gets its own.
   */
  #settleEnded(seat: Seat, running: number): void {
    const limitMs = this.#options.settings.timeout!;
    for (const seq of [...seat.timedOut.keys()]) {
      const envelope = this.#feeder.takeEnvelope(seat, seq);
      if (!envelope) continue;
      if (seat.blocked && running > 1) this.#feeder.suspect(envelope);
      else this.#onFailed(envelope, timeoutError(limitMs), limitMs);
    }
  }

  // ── Outcomes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onOutcomes(seat: Seat, plain: Float64Array, rest: readonly WireOutcome[]): void {
    const { events } = this.#options;
    let totalMs = 0;
    this.#failedStarts = 0;
    // Many of them a second: the feeder is told once.
    let taken = 0;
    for (let i = 0; i < plain.length; i += 2) {
      const place = seat.take(plain[i]!);
      if (!place) continue;
      taken++;
      const durationMs = plain[i + 1]!;
      totalMs += durationMs;
      events.onDone(place.parcel, place.index, durationMs);
    }
    this.#feeder.left(taken);
    this.#feeder.succeeded(plain.length / 2);
    for (const outcome of rest) {
      totalMs += outcome.durationMs;
      this.#onOutcome(seat, outcome);
    }
    this.#feeder.settled(plain.length / 2 + rest.length, totalMs);
    this.#watch.settled();
    if (seat.alone && seat.inFlight.size === 0) seat.alone = false;
    events.onBatch();
    this.#pump();
  }

  #onOutcome(seat: Seat, { seq, ...outcome }: WireOutcome): void {
    const timedOut = seat.timedOut.has(seq);
    const envelope = this.#feeder.takeEnvelope(seat, seq);
    if (!envelope) return;
    if (outcome.status === "failed") {
      const error = timedOut ? timeoutError(this.#options.settings.timeout!, outcome.error) : outcome.error!;
      return this.#onFailed(envelope, error, outcome.durationMs);
    }
    // Finished after all, even when it was told to stop: what was published stays.
    this.#feeder.succeeded(1);
    this.#settle(envelope, outcome);
  }

  #onFailed(envelope: Envelope, error: ErrorRecord, durationMs: number): void {
    const { settings, permanentErrors, events } = this.#options;
    const verdict = judgeFailure(error, envelope.attempt, settings, permanentErrors, Math.random);
    if (verdict.do === "give-up") return this.#settle(envelope, { status: "failed", durationMs, error });
    if (verdict.do === "stop") {
      this.#cancel(envelope, durationMs);
      return events.onBroken(
        envelope.terms.shard,
        new KagurazakaError("environment", `${error.message} (while processing ${envelope.key})`, {
          hint: "Make room or mend it, then run the same command: it goes on from here.",
        }),
      );
    }
    if (!this.#mayRun(envelope)) return this.#cancel(envelope, durationMs);
    if (verdict.do === "wait") return this.#feeder.pause(envelope, verdict.scope, verdict.delayMs);
    envelope.attempt++;
    events.onRetry(envelope, error, verdict.delayMs);
    this.#feeder.wait(envelope, verdict.delayMs);
  }

  #settle(envelope: Envelope, settled: Settled): void {
    this.#options.events.onSettled(envelope, settled);
  }

  #cancel(envelope: Envelope, durationMs = 0): void {
    this.#settle(envelope, { status: "cancelled", durationMs });
  }

  #cancelWaiting(wanted: (terms: Terms) => boolean): void {
    for (const envelope of this.#feeder.drain(wanted)) this.#cancel(envelope);
  }

  // ── The way on ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #pump(): void {
    if (this.#state === "running") {
      const now = monotonicMs();
      this.#crew.relieve();
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
        if (!this.#mayRun(value)) this.#cancelWaiting((terms) => terms === value.terms);
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
    for (const seat of this.#crew.seats) this.#abandon(seat);
    this.#options.events.onBatch();
    void this.#options.plan.return?.().catch(() => {});
    if (!orderly) this.#crew.killAll();
    void (orderly ? this.#crew.close() : Promise.resolve()).then(() => this.#finish());
  }

  #abandon(seat: Seat): void {
    // Where a worker cannot be killed, its items can still hear that they are not wanted any more.
    for (const { seq } of seat.running()) seat.channel.send({ type: "abort", seq, reason: "cancelled" });
    // First, for an item that is taken away is no longer known by its children.
    seat.killChildren();
    for (const seq of seat.inFlight.seqs()) this.#cancel(this.#feeder.takeEnvelope(seat, seq)!);
  }
}
