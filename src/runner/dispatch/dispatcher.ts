import { monotonicMs } from "../../base/clock.js";
import { type ErrorRecord, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import type { BackboneSession, ProcessGuard } from "../../contracts/backbone.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { type FromWorker, marksLayout, type WireOutcome, type WorkerSetup } from "../../contracts/wire.js";
import { LooseParcel } from "../plan/loose-parcel.js";
import type { Envelope, Parcel } from "../plan/parcel.js";
import { itemsPerWorker, MeanDuration, shareOf } from "./chunk-size.js";
import { envelopeAt } from "./in-flight.js";
import { type Load, ReadyQueue, WaitingRoom } from "./queues.js";
import { judgeFailure } from "./retry-policy.js";
import { Seat } from "./seat.js";
import { Throttle } from "./throttle.js";
import { Watch } from "./watch.js";

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
  /** Done, with nothing to add; the item needs no envelope for that. */
  onDone(parcel: Parcel, index: number, durationMs: number): void;
  onSettled(envelope: Envelope, settled: Settled): void;
  /** A batch of outcomes is through: a good moment to write the ledger. */
  onBatch(): void;
  onRetry(envelope: Envelope, error: ErrorRecord, delayMs: number): void;
  onMessage(seat: number, message: Extract<FromWorker, { type: "print" | "log" }>): void;
  onWarning(message: string): void;
  /** A worker has done enough and makes room for a fresh one. */
  onWorn(seat: number, why: string): void;
  /** The list has come to its end. */
  onListed(): void;
}

export interface DispatcherOptions {
  readonly session: BackboneSession;
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

const LOOKAHEAD_CHARS = 32 * 1024 * 1024;
const MAX_CHUNK_ITEMS = 1024;
const MAX_CHUNK_CHARS = 1024 * 1024;
const MAX_SEAT_CHARS = 16 * 1024 * 1024;
const MAX_FAILED_STARTS = 3;
/** They tell whether the task works at all, so they go one by one: a broken task fails few items before the run stops. */
const FIRST_ITEMS = 20;

/**
 * Brings items to workers and outcomes back.
 *
 *   running ──drain()──▶ draining ──▶ closed
 *      └────────stop()─────────────────▲
 *
 * Running: the plan is pulled as far as workers have room; what is ready goes to the hungriest worker; what failed waits
 * for its next try; a worker that dies or hangs is replaced. Draining: nothing new starts, what runs may settle. Closed:
 * what is left was cancelled. Every item that enters leaves through `onDone` or `onSettled`, exactly once.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #ready = new ReadyQueue();
  readonly #waiting = new WaitingRoom();
  /** Suspects of a crash: tried one by one, alone. */
  readonly #suspects: Envelope[] = [];
  readonly #mean = new MeanDuration();
  readonly #throttle: Throttle;
  readonly #watch: Watch;
  #seats: Seat[] = [];
  #state: "running" | "draining" | "closed" = "running";
  #cause: KagurazakaError | undefined;
  #nextSeq = 1;
  #nextSeat = 0;
  #inFlight = 0;
  #settled = 0;
  #listEnded = false;
  #pulling = false;
  #failedStarts = 0;
  #timer: { atMs: number; handle: NodeJS.Timeout } | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  #finish: () => void = () => {};

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.workers * options.settings.concurrency, options.settings.rate, monotonicMs());
    this.#watch = new Watch(options.settings, {
      seats: () => this.#seats,
      onTimeout: (seat, seq) => this.#tellToStop(seat, seq),
      onHopeless: (seat, why) => this.#giveUpOn(seat, why),
      onStalled: (message) => this.#stopDraining(new KagurazakaError("stalled", message)),
      onWarning: (message) => options.events.onWarning(message),
      pending: () => this.#inFlight,
    });
  }

  /** Runs to the end. Resolves with what stopped it early, if anything did; rejects only on defects. */
  run(): Promise<KagurazakaError | undefined> {
    return new Promise((resolve) => {
      this.#finish = () => resolve(this.#cause);
      for (let i = 0; i < this.#options.workers; i++) this.#addSeat();
      this.#watch.start();
      this.#pump();
    });
  }

  /** Lets what runs settle, starts nothing more. After `graceMs` the rest is cancelled. */
  drain(graceMs: number, cause?: KagurazakaError): void {
    if (this.#state !== "running") return;
    this.#cause ??= cause;
    this.#state = "draining";
    this.#cancelUnsent();
    for (const seat of this.#seats) this.#hold(seat);
    this.#graceTimer = setTimeout(() => this.stop(), graceMs);
    this.#checkEnd();
  }

  /** Ends now: workers are killed, what was under way is cancelled. */
  stop(cause?: KagurazakaError): void {
    if (this.#state === "closed") return;
    this.#cause ??= cause;
    this.#close();
  }

  #stopDraining(cause: KagurazakaError): void {
    this.drain(Math.min(this.#options.settings.grace, 5000), cause);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#ready.length + this.#waiting.length + this.#suspects.length;
  }

  /** What runs now, oldest first. */
  running(): { key: string; sinceMs: number }[] {
    const now = monotonicMs();
    return this.#seats
      .flatMap((seat) => seat.running())
      .map(({ key, startedMs }) => ({ key, sinceMs: now - startedMs }))
      .sort((a, b) => b.sinceMs - a.sinceMs);
  }

  // ── Seats ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #addSeat(): Seat {
    const id = this.#nextSeat++;
    const setup = this.#options.setupOf(id);
    const marks = new SharedArrayBuffer(marksLayout.bytes(setup.concurrency));
    let seat: Seat | undefined;
    const channel = this.#options.session.startWorker(
      { setup, marks },
      {
        onMessage: (message) => this.#onMessage(seat!, message),
        onExit: (error) => this.#onExit(seat!, error),
      },
    );
    seat = new Seat(id, setup.concurrency, marks, channel, this.#options.guard);
    this.#seats.push(seat);
    return seat;
  }

  #onMessage(seat: Seat, message: FromWorker): void {
    if (this.#state === "closed" && message.type !== "print" && message.type !== "log") return;
    switch (message.type) {
      case "settled":
        return this.#onSettled(seat, message.plain, message.rest);
      case "ready":
        if (seat.state === "starting") seat.state = "ready";
        return this.#pump();
      case "unfit":
        return this.stop(unfit(message.error));
      case "held":
        return this.#onHeld(seat, message.unstarted);
      case "worn":
        return this.#onWorn(seat, message.why);
      case "spawned":
        return seat.addChild(message.seq, message.pid);
      case "print":
      case "log":
        return this.#options.events.onMessage(seat.id, message);
      case "closed":
        return;
    }
  }

  #onExit(seat: Seat, error: ErrorRecord | null): void {
    if (seat.state === "gone") return;
    const wasStarting = seat.state === "starting";
    seat.state = "gone";
    seat.killChildren();
    clearTimeout(seat.closing);
    this.#seats = this.#seats.filter((other) => other !== seat);
    if (this.#state === "closed") return;
    const running = seat.running();
    if (error === null) this.#settleEnded(seat, running.length);
    else if (running.length === 1) this.#blame(seat, running[0]!, error);
    else for (const { seq } of running) this.#suspects.push(this.#takeFrom(seat, seq)!);
    for (const seq of seat.inFlight.seqs()) this.#takeBack(this.#takeFrom(seat, seq)!);
    if (wasStarting && ++this.#failedStarts >= MAX_FAILED_STARTS) {
      const reason = error ? `: ${error.message}` : "";
      return this.stop(new KagurazakaError("environment", `workers die before they are ready${reason}`));
    }
    if (error && running.length === 0) {
      this.#options.events.onWarning(`a worker died between items and is replaced: ${error.message}`);
    }
    if (this.#state === "running") this.#addSeat();
    this.#options.events.onBatch();
    this.#pump();
  }

  /** It alone was running when its worker died. Twice is proof, where nothing else had run in that worker. */
  #blame(seat: Seat, suspect: { seq: number }, error: ErrorRecord): void {
    const envelope = this.#takeFrom(seat, suspect.seq)!;
    if (seat.given === 1) envelope.crashes++;
    else if (seat.alone) envelope.needsFreshWorker = true;
    if (envelope.crashes < 2) {
      this.#suspects.push(envelope);
      return;
    }
    const message = `the item ended its worker twice while running alone (${error.name}: ${error.message})`;
    this.#settle(envelope, {
      status: "failed",
      durationMs: 0,
      error: { ...toErrorRecord(new KagurazakaError("crash", message)), cause: error },
    });
  }

  #takeFrom(seat: Seat, seq: number): Envelope | undefined {
    const place = seat.take(seq);
    if (!place) return undefined;
    this.#inFlight--;
    return envelopeAt(place);
  }

  /** Back to the queue: it was nobody's fault and costs no attempt. */
  #takeBack(envelope: Envelope): void {
    if (this.#state === "running") this.#ready.unshift(envelope);
    else this.#settle(envelope, { status: "cancelled", durationMs: 0 });
  }

  #hold(seat: Seat): void {
    if (seat.state === "held" || seat.state === "gone") return;
    seat.state = "held";
    seat.heldSinceMs = monotonicMs();
    seat.channel.send({ type: "hold" });
  }

  #onHeld(seat: Seat, unstarted: readonly number[]): void {
    for (const seq of unstarted.toReversed()) {
      const envelope = this.#takeFrom(seat, seq);
      if (envelope) this.#takeBack(envelope);
    }
    this.#pump();
  }

  /** It starts nothing more by itself, so it need not be held; what it was sent meanwhile it gives back. */
  #onWorn(seat: Seat, why: string): void {
    seat.worn = true;
    if (seat.takesItems) seat.state = "held";
    seat.heldSinceMs = monotonicMs();
    this.#options.events.onWorn(seat.id, why);
    this.#pump();
  }

  /** teardown() runs, within as much time as it has at the end of the run. */
  #retire(seat: Seat): void {
    if (seat.closing) return;
    seat.channel.send({ type: "close" });
    seat.closing = setTimeout(() => seat.channel.kill(), this.#options.settings.grace);
  }

  // ── Time limits ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #tellToStop(seat: Seat, seq: number): void {
    seat.timedOut.set(seq, { atMs: monotonicMs(), abortsSeen: seat.marks[marksLayout.abortsSeen]! });
    seat.channel.send({ type: "abort", seq, reason: "timeout" });
  }

  /** An item did not settle after its time limit. Its worker takes nothing new; when the others are through, it goes. */
  #giveUpOn(seat: Seat, why: "blocked" | "unsettled" | "settled"): void {
    if (why === "unsettled") return this.#hold(seat);
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
      const envelope = this.#takeFrom(seat, seq);
      if (!envelope) continue;
      if (seat.blocked && running > 1) this.#suspects.push(envelope);
      else this.#onFailed(envelope, timeoutError(limitMs), limitMs);
    }
  }

  // ── Outcomes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onSettled(seat: Seat, plain: Float64Array, rest: readonly WireOutcome[]): void {
    const { events } = this.#options;
    let totalMs = 0;
    this.#failedStarts = 0;
    for (let i = 0; i < plain.length; i += 2) {
      const place = seat.take(plain[i]!);
      if (!place) continue;
      const durationMs = plain[i + 1]!;
      totalMs += durationMs;
      this.#inFlight--;
      events.onDone(place.parcel, place.index, durationMs);
    }
    this.#throttle.succeeded(plain.length / 2);
    for (const { seq, ...outcome } of rest) {
      totalMs += outcome.durationMs;
      const timedOut = seat.timedOut.has(seq);
      const envelope = this.#takeFrom(seat, seq);
      if (!envelope) continue;
      if (outcome.status !== "failed") this.#onFinished(envelope, outcome);
      else if (timedOut)
        this.#onFailed(envelope, timeoutError(this.#options.settings.timeout!, outcome.error), outcome.durationMs);
      else this.#onFailed(envelope, outcome.error!, outcome.durationMs);
    }
    const count = plain.length / 2 + rest.length;
    this.#settled += count;
    this.#mean.add(totalMs, count);
    this.#watch.settled();
    if (seat.alone && seat.inFlight.size === 0) seat.alone = false;
    events.onBatch();
    this.#pump();
  }

  /** Finished after all, even when it was told to stop: what was published stays. */
  #onFinished(envelope: Envelope, settled: Settled): void {
    this.#throttle.succeeded(1);
    this.#settle(envelope, settled);
  }

  #onFailed(envelope: Envelope, error: ErrorRecord, durationMs: number): void {
    const { settings, permanentErrors, events } = this.#options;
    const verdict = judgeFailure(error, envelope.attempt, settings, permanentErrors, Math.random);
    if (verdict.do === "stop-run") {
      this.#settle(envelope, { status: "cancelled", durationMs });
      return this.stop(
        new KagurazakaError("environment", `${error.message} (while processing ${envelope.key})`, {
          hint: "Make room or mend it, then run the same command: it goes on from here.",
        }),
      );
    }
    if (this.#state !== "running" && verdict.do !== "give-up")
      return this.#settle(envelope, { status: "cancelled", durationMs });
    const now = monotonicMs();
    if (verdict.do === "wait") {
      envelope.scope = verdict.scope;
      return this.#waiting.add(envelope, this.#throttle.pause(verdict.scope, verdict.delayMs, now));
    }
    if (verdict.do === "retry") {
      envelope.attempt++;
      events.onRetry(envelope, error, verdict.delayMs);
      return this.#waiting.add(envelope, now + verdict.delayMs);
    }
    this.#settle(envelope, { status: "failed", durationMs, error });
  }

  #settle(envelope: Envelope, settled: Settled): void {
    this.#options.events.onSettled(envelope, settled);
  }

  // ── Bringing items to workers ────────────────────────────────────────────────────────────────────────────────────────

  #pump(): void {
    if (this.#state === "running") {
      const now = monotonicMs();
      this.#promoteWaiting(now);
      this.#replaceHeld();
      this.#placeSuspect();
      this.#feed(now);
      this.#pull();
      this.#setTimer(now);
    }
    this.#checkEnd();
  }

  #promoteWaiting(now: number): void {
    if (this.#waiting.nextMs > now) return;
    for (const envelope of this.#waiting.takeDue(now)) {
      const pausedUntil = this.#throttle.scopePausedUntilMs(envelope.scope);
      if (pausedUntil > now) this.#waiting.add(envelope, pausedUntil);
      else this.#ready.unshift(envelope);
    }
  }

  /** A worker that takes nothing new and has nothing left goes; its seat is filled again when it has. */
  #replaceHeld(): void {
    for (const seat of this.#seats) {
      if (seat.state !== "held" || seat.inFlight.size > 0) continue;
      if (seat.worn) this.#retire(seat);
      else seat.channel.kill();
    }
  }

  /** One suspect at a time, in a worker where nothing else runs; the youngest worker, for it has the least behind it. */
  #placeSuspect(): void {
    const suspect = this.#suspects[0];
    if (!suspect || this.#seats.some((seat) => seat.alone && (seat.inFlight.size > 0 || seat.state === "held"))) return;
    const open = this.#seats
      .filter((one) => one.takesItems)
      .sort((a, b) => a.inFlight.size - b.inFlight.size || b.id - a.id);
    const seat = open.find((one) => one.alone) ?? open[0];
    if (!seat) return;
    seat.alone = true;
    // Held, it is replaced once it is empty: by a worker in which nothing has run.
    if (suspect.needsFreshWorker && seat.given > 0) return this.#hold(seat);
    if (seat.inFlight.size === 0)
      this.#send(seat, { parcel: new LooseParcel([this.#suspects.shift()!]), from: 0, to: 1 });
  }

  #feed(now: number): void {
    for (;;) {
      // The last items wait here, and not in a worker behind a slow one while another is idle.
      const ending = this.#listEnded && this.#ready.length < 8 * this.#slots();
      const tight = ending || this.#throttle.tight || this.#settled < FIRST_ITEMS;
      const hungry = this.#seats.filter((seat) => this.#isHungry(seat, tight));
      hungry.sort((a, b) => a.inFlight.size / a.slots - b.inFlight.size / b.slots);
      let sent = 0;
      for (const [index, seat] of hungry.entries()) {
        const share = shareOf(this.#ready.length, this.#seats.length, hungry.length - index, this.#listEnded);
        const room = this.#capacity(seat, tight) - seat.inFlight.size;
        const allowed = this.#throttle.allowance(this.#inFlight, now);
        const count = Math.min(this.#ready.length, share, room, allowed, MAX_CHUNK_ITEMS);
        if (count >= 1) sent += this.#sendReady(seat, count);
      }
      if (sent === 0 || this.#ready.length === 0) return;
    }
  }

  #slots(): number {
    return this.#seats.reduce((sum, seat) => sum + seat.slots, 0);
  }

  #capacity(seat: Seat, tight: boolean): number {
    return tight ? seat.slots : itemsPerWorker(this.#mean.ms, seat.slots);
  }

  /** Below half of what it should have: messages then carry many items, and none of them runs dry. */
  #isHungry(seat: Seat, tight: boolean): boolean {
    if (!seat.takesItems || seat.alone || seat.size >= MAX_SEAT_CHARS) return false;
    const capacity = this.#capacity(seat, tight);
    return seat.inFlight.size < (capacity > 4 * seat.slots ? capacity / 2 : capacity);
  }

  #sendReady(seat: Seat, count: number): number {
    const chunksize = this.#options.settings.chunksize;
    const load = this.#ready.take(chunksize === "auto" ? count : Math.min(count, chunksize), MAX_CHUNK_CHARS);
    if (!load) return 0;
    this.#throttle.started(load.to - load.from);
    this.#send(seat, load);
    return load.to - load.from;
  }

  #send(seat: Seat, load: Load): void {
    const { parcel, from, to } = load;
    const firstSeq = this.#nextSeq;
    const attempts = parcel.attempts(from, to);
    this.#nextSeq += to - from;
    this.#inFlight += to - from;
    seat.add(firstSeq, load);
    seat.channel.send({
      type: "items",
      firstSeq,
      items: `[${parcel.itemsText(from, to)}]`,
      keys: parcel.keysText(from, to),
      ...(attempts ? { attempts } : {}),
    });
  }

  #pull(): void {
    const wanted = Math.max(
      1024,
      this.#slots() * 2,
      this.#mean.ms === undefined ? 0 : this.#seats.length * itemsPerWorker(this.#mean.ms, 1),
    );
    if (this.#listEnded || this.#pulling || this.#ready.length >= wanted || this.#ready.size >= LOOKAHEAD_CHARS) return;
    this.#pulling = true;
    this.#options.plan.next().then(
      ({ done, value }) => {
        this.#pulling = false;
        if (done) return this.#endList();
        this.#ready.push(value);
        if (this.#state !== "running") this.#cancelUnsent();
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
    this.#listEnded = true;
    this.#options.events.onListed();
    this.#pump();
  }

  /** One timer for the next moment at which time alone changes something. */
  #setTimer(now: number): void {
    const throttled = this.#ready.length > 0 ? this.#throttle.nextMs(now) : Number.POSITIVE_INFINITY;
    const atMs = Math.min(this.#waiting.nextMs, throttled);
    if (this.#timer && this.#timer.atMs === atMs) return;
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const handle = setTimeout(
      () => {
        this.#timer = undefined;
        this.#pump();
      },
      Math.max(1, Math.ceil(atMs - now)),
    );
    this.#timer = { atMs, handle };
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #checkEnd(): void {
    if (this.#state === "closed" || this.#inFlight > 0) return;
    if (this.#state === "running" && (!this.#listEnded || this.waiting > 0)) return;
    this.#close();
  }

  #cancelUnsent(): void {
    for (const envelope of [...this.#suspects.splice(0), ...this.#ready.drain(), ...this.#waiting.drain()]) {
      this.#settle(envelope, { status: "cancelled", durationMs: 0 });
    }
  }

  #close(): void {
    const orderly = this.#inFlight === 0;
    this.#state = "closed";
    clearTimeout(this.#timer?.handle);
    clearTimeout(this.#graceTimer);
    this.#watch.stop();
    this.#cancelUnsent();
    for (const seat of this.#seats) {
      // Where a worker cannot be killed, its items can still hear that they are not wanted any more.
      for (const { seq } of seat.running()) seat.channel.send({ type: "abort", seq, reason: "cancelled" });
      // First, for an item that is taken away is no longer known by its children.
      seat.killChildren();
      for (const seq of seat.inFlight.seqs())
        this.#settle(this.#takeFrom(seat, seq)!, { status: "cancelled", durationMs: 0 });
    }
    this.#options.events.onBatch();
    void this.#options.plan.return?.().catch(() => {});
    void this.#closeSeats(orderly).then(() => this.#finish());
  }

  /** Workers that have nothing left may tear down; the others are ended. */
  async #closeSeats(orderly: boolean): Promise<void> {
    if (!orderly) {
      for (const seat of this.#seats) seat.channel.kill();
      return;
    }
    for (const seat of this.#seats) if (!seat.closing) seat.channel.send({ type: "close" });
    // teardown() may flush and close; it has as long as running items have on Ctrl-C.
    const deadline = monotonicMs() + this.#options.settings.grace;
    while (this.#seats.length > 0 && monotonicMs() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
    for (const seat of this.#seats) seat.channel.kill();
  }
}

function timeoutError(limitMs: number, cause?: ErrorRecord): ErrorRecord {
  const record = toErrorRecord(new KagurazakaError("timeout", `the item ran longer than ${limitMs} ms`));
  delete record.stack;
  return cause ? { ...record, cause } : record;
}

function unfit(error: ErrorRecord): KagurazakaError {
  return new KagurazakaError("environment", `a worker could not be set up: ${error.name}: ${error.message}`, {
    cause: error,
    ...(error.stack === undefined ? {} : { frame: error.stack.split("\n").slice(1, 4).join("\n") }),
  });
}
