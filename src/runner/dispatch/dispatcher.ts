import { MAX_TIMER_MS, monotonicMs } from "../../base/clock.js";
import { asKagurazakaError, KagurazakaError } from "../../base/errors.js";
import type { WorkerExit } from "../../contracts/backbone.js";
import type { Chunk, ChunkHeader } from "../../contracts/chunk.js";
import type { Execution, ExecutionEvents, ExecutionSnapshot } from "../../contracts/execution.js";
import type { FromWorker } from "../../contracts/wire.js";
import { cannotSetUp } from "./errors.js";
import { Feeder } from "./feeder.js";
import { ItemOutcomes } from "./item-outcomes.js";
import type { DispatcherOptions } from "./ports.js";
import { Staffing } from "./staffing.js";
import { Watch, type WatchPorts } from "./watch.js";
import type { WorkerHandle } from "./worker-handle.js";
import { WorkerPool } from "./worker-pool.js";

/** After an error of the plan or a stall, running items have at most this long to settle. */
const STALLED_GRACE_MS = 5000;

/**
 * The local execution: sends items to workers and receives their outcomes. The pool owns the workers, the feeder owns the
 * waiting items and chooses their worker, `ItemOutcomes` decides what becomes of an item. The dispatcher decides when the
 * execution is over.
 *
 *   idle ──run()──▶ running ──drain()──▶ draining ──▶ closed
 *                      └────────stop()──────────────────▲
 *
 * Running: chunks are pulled as far as workers have room; failed items wait for their next try; a worker that crashes or
 * hangs is replaced. Draining: nothing new starts, running items may settle. Closed: the rest was cancelled.
 */
export class Dispatcher implements Execution {
  readonly #options: DispatcherOptions;
  readonly #pool: WorkerPool;
  readonly #staffing: Staffing;
  readonly #feeder: Feeder;
  readonly #outcomes: ItemOutcomes;
  readonly #watch: Watch;
  readonly #stoppedShards = new Set<number>();
  #chunks!: AsyncIterator<Chunk>;
  #events!: ExecutionEvents;
  #state: "idle" | "running" | "draining" | "closed" = "idle";
  #cause: KagurazakaError | undefined;
  #isPulling = false;
  #timer: { atMs: number; handle: NodeJS.Timeout } | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  #finish: () => void = () => {};

  constructor(options: DispatcherOptions) {
    const { settings, shapes } = options;
    this.#options = options;
    this.#pool = new WorkerPool({
      ...options,
      setup: { ...options.setup, timeoutMs: settings.timeout },
      graceMs: settings.grace,
      inThisThread: !options.killable,
      onMessage: (worker, message) => this.#onMessage(worker, message),
      onExit: (worker, exit, wasStarting) => this.#onExit(worker, exit, wasStarting),
      onWarning: (message) => this.#events.onWarning(message),
    });
    this.#staffing = new Staffing(this.#pool, shapes);
    this.#feeder = new Feeder({
      ...options,
      pool: this.#pool,
      slots: shapes.reduce((sum, { slots }) => sum + slots, 0),
    });
    this.#outcomes = new ItemOutcomes({
      ...options,
      feeder: this.#feeder,
      events: () => this.#events,
      mayRun: (header) => this.#mayRun(header),
    });
    const ports: WatchPorts = {
      workers: () => this.#pool.workers,
      inFlight: () => this.#feeder.inFlight,
      asking: () => this.#feeder.asking,
      askedBy: () => askedBy(this.#feeder),
      onTimeout: (worker, seq) => worker.tellToStop(seq),
      onOverdue: (worker, item) => this.#outcomes.onOverdue(worker, item),
      onHopeless: (worker, why) => this.#giveUpOn(worker, why),
      onStalled: (message) =>
        this.drain(Math.min(settings.grace, STALLED_GRACE_MS), new KagurazakaError("stalled", message)),
      onNever: (message) => this.stop(new KagurazakaError("task-ended", message)),
      onWarning: (message) => this.#events.onWarning(message),
    };
    this.#watch = new Watch(settings, ports, !options.killable);
  }

  run(chunks: AsyncIterator<Chunk>, events: ExecutionEvents): Promise<KagurazakaError | undefined> {
    this.#chunks = chunks;
    this.#events = events;
    return new Promise((resolve) => {
      this.#finish = () => resolve(this.#cause);
      // `stop()` came before `run()`.
      if (this.#state !== "idle") return this.#finish();
      this.#state = "running";
      this.#watch.start();
      this.#pump();
    });
  }

  drain(graceMs: number, cause?: KagurazakaError): void {
    if (this.#state === "idle") return this.stop(cause);
    if (this.#state !== "running") return;
    this.#cause ??= cause;
    this.#state = "draining";
    this.#outcomes.cancelWaiting(() => true);
    this.#pool.drainAll();
    this.#graceTimer = setTimeout(() => this.stop(), Math.min(MAX_TIMER_MS, graceMs));
    this.#checkEnd();
  }

  stop(cause?: KagurazakaError): void {
    if (this.#state === "closed") return;
    this.#cause ??= cause;
    if (this.#state === "idle") this.#state = "closed";
    else this.#close();
  }

  stopShard(shard: number): void {
    this.#stoppedShards.add(shard);
    this.#outcomes.cancelWaiting((header) => header.shard === shard);
    this.#pump();
  }

  /** Replaces every worker, once it has no items left, by a worker of the session that `session` now returns. */
  renewWorkers(): void {
    if (this.#state === "running") this.#pool.renewAll();
  }

  snapshot(): ExecutionSnapshot {
    const running = this.#pool.workers.flatMap((worker) => worker.running());
    const oldest = running.reduce<(typeof running)[0] | undefined>(
      (oldest, one) => (oldest && oldest.startedMs <= one.startedMs ? oldest : one),
      undefined,
    );
    return {
      inFlight: this.#feeder.inFlight,
      waiting: this.#feeder.waiting,
      scopes: this.#feeder.scopes,
      oldest: oldest && { key: oldest.key, sinceMs: monotonicMs() - oldest.startedMs },
    };
  }

  /** For how long nothing has settled or shown progress, though items are in flight; in milliseconds. */
  get quietMs(): number {
    return this.#watch.quietMs;
  }

  #mayRun({ shard }: ChunkHeader): boolean {
    return this.#state === "running" && !this.#stoppedShards.has(shard);
  }

  // ── Messages and exits of workers ────────────────────────────────────────────────────────────────────────────────────

  #onMessage(worker: WorkerHandle, message: FromWorker): void {
    if (this.#state === "closed" && message.type !== "print" && message.type !== "log") return;
    switch (message.type) {
      case "settled":
        this.#staffing.onSettled();
        if (this.#outcomes.settle(worker, message.plain, message.rest) > 0) this.#watch.settled();
        this.#events.onMessageDone();
        return this.#pump();
      case "ready":
        this.#staffing.onReady();
        if (worker.state === "starting") worker.enter("ready");
        return this.#pump();
      case "unfit":
        return this.stop(cannotSetUp(message.error));
      case "leaving":
        this.#outcomes.giveBack(worker, message.unstarted);
        if (message.why !== null) this.#recycle(worker, message.why);
        return this.#pump();
      case "print":
      case "log":
        return this.#events.onMessage(message);
    }
  }

  #recycle(worker: WorkerHandle, why: string): void {
    // A worker repeats `leaving` for each message that was in transit.
    if (!worker.recycled) this.#events.onRecycled(this.#pool.nameOf(worker), why);
    this.#pool.recycle(worker);
  }

  #onExit(worker: WorkerHandle, exit: WorkerExit, wasStarting: boolean): void {
    if (this.#state === "closed") return;
    const wasIdle = worker.running().length === 0;
    if (exit.kind === "crashed") this.#outcomes.onCrash(worker, exit.error);
    else if (exit.kind === "ended") this.#outcomes.onKilledForTimeout(worker);
    this.#outcomes.putBackAll(worker);
    if (wasStarting || (exit.kind !== "ended" && wasIdle)) {
      const cause = this.#staffing.onFutileExit(exit, wasStarting, monotonicMs());
      if (cause) return this.stop(cause);
    }
    if (exit.kind === "lost") this.#events.onWarning(`worker ${worker.id} was lost and is replaced: ${exit.why}`);
    else if (exit.kind === "crashed" && wasIdle)
      this.#events.onWarning(`worker ${worker.id} crashed while idle and is replaced: ${exit.error.message}`);
    this.#events.onMessageDone();
    this.#options.inFlight?.gone(worker);
    this.#pump();
  }

  /** An item did not settle after its time limit: its worker takes no new items and ends after its other items. */
  #giveUpOn(worker: WorkerHandle, why: "blocked" | "unsettled" | "settled"): void {
    if (why === "unsettled") return this.#pool.drain(worker);
    worker.blocked = why === "blocked";
    worker.channel.kill();
    if (this.#options.killable) return;
    this.#events.onWarning(
      "backbone inline cannot stop an item that ignores ctx.signal; the item goes on running in this process",
    );
  }

  // ── Scheduling ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #pump(): void {
    if (this.#state === "running") {
      const now = monotonicMs();
      this.#pool.endDrained();
      // One starts while items are listed.
      this.#staffing.fill(Math.max(this.#feeder.usefulWorkers, this.#feeder.listEnded ? 0 : 1), now);
      this.#feeder.feed(now);
      this.#pull();
      this.#setTimer(now);
    }
    this.#checkEnd();
  }

  #pull(): void {
    if (this.#isPulling || !this.#feeder.wantsMore) return;
    this.#isPulling = true;
    this.#chunks.next().then(
      ({ done, value }) => {
        this.#isPulling = false;
        // The execution has already reported its end: items that are listed now are not started.
        if (this.#state === "closed") return;
        if (done) return this.#endList();
        this.#feeder.push(value);
        if (!this.#mayRun(value.header)) this.#outcomes.cancelWaiting((header) => header === value.header);
        this.#pump();
      },
      (error) => {
        this.#isPulling = false;
        // Items listed before the error are finished and recorded.
        this.#cause ??= asKagurazakaError(error, "the plan failed");
        this.#endList();
      },
    );
  }

  #endList(): void {
    this.#feeder.listEnded = true;
    this.#pump();
  }

  /** Sets one timer, for the next moment at which something changes without a message. */
  #setTimer(now: number): void {
    const atMs = Math.min(this.#staffing.nextMs(now), this.#feeder.nextMs(now));
    if (this.#timer?.atMs === atMs) return;
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const pump = (): void => {
      this.#timer = undefined;
      this.#pump();
    };
    // setTimeout takes at most MAX_TIMER_MS; the remaining time is waited for afterwards.
    const handle = setTimeout(pump, Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(atMs - now))));
    this.#timer = { atMs, handle };
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #checkEnd(): void {
    if (this.#state === "closed" || this.#state === "idle" || this.#feeder.inFlight > 0) return;
    if (this.#state === "running" && (!this.#feeder.listEnded || this.#feeder.waiting > 0)) return;
    this.#close();
  }

  #close(): void {
    const isOrderly = this.#feeder.inFlight === 0;
    this.#state = "closed";
    clearTimeout(this.#timer?.handle);
    clearTimeout(this.#graceTimer);
    this.#watch.stop();
    this.#outcomes.cancelWaiting(() => true);
    for (const worker of this.#pool.workers) this.#outcomes.cancelAll(worker);
    this.#events.onMessageDone();
    void this.#chunks.return?.().catch(() => {});
    if (!isOrderly) this.#pool.killAll();
    void (isOrderly ? this.#pool.close() : Promise.resolve()).then(() => this.#finish());
  }
}

function askedBy({ asking, scopes }: Feeder): string {
  const named = scopes.slice(0, 3).map(({ scope, items }) => `${items} for ${scope}`);
  const items = asking === 1 ? "1 item waits" : `${asking} items wait`;
  return `${items} as asked by RetryAfterError${named.length === 0 ? "" : ` (${named.join(", ")})`}`;
}
