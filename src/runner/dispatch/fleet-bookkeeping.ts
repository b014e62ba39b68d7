import { MAX_TIMER_MS } from "../../base/clock.js";
import { asKagurazakaError, type ErrorRecord, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { shortDuration } from "../../base/text.js";
import type { Chunk } from "../../contracts/chunk.js";
import type { ExecutionEvents, ExecutionSnapshot } from "../../contracts/execution.js";
import type { FleetExecution, FleetQueue, NodeMessage, NodeOutcomes } from "../../contracts/fleet.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { itemsPerWorker, MeanDuration } from "./chunk-size.js";
import { OutstandingChunks } from "./outstanding-chunks.js";
import { ReadyQueue } from "./queues.js";
import { StallClock } from "./stall-clock.js";

/** The limit of what is in the queue and at nodes at a time, in characters of JSON. */
const WINDOW_CHARS = 32 * 1024 * 1024;
const WINDOW_ITEMS = 65_536;
/** The limit before the first item has settled: a broken task fails few items before the run stops. */
const FIRST_WINDOW_ITEMS = 1024;
const MAX_CHUNK_ITEMS = 1024;
const MAX_CHUNK_CHARS = 1024 * 1024;
/** The first items are sent one by one, so that each node gets some. */
const FIRST_ITEMS = 20;
const SWEEP_MS = 250;
const AGAIN = "Recorded outcomes are kept. Start the queue and run the same command again.";

/**
 * The coordinator's side of a fleet, without the queue: which items are outstanding, in which chunk, and their outcomes.
 *
 * A second outcome of one item (a node considered lost settled it after all) is ignored.
 */
export class FleetBookkeeping implements FleetExecution {
  readonly #queue: FleetQueue;
  readonly #settings: Pick<RunSettings, "chunksize" | "grace" | "stall">;
  readonly #ready = new ReadyQueue();
  readonly #out = new OutstandingChunks();
  readonly #mean = new MeanDuration();
  readonly #clock: StallClock;
  readonly #stoppedShards = new Set<number>();
  readonly #heartbeats = new Map<string, Extract<NodeMessage, { type: "heartbeat" }>>();
  #chunks!: AsyncIterator<Chunk>;
  #events!: ExecutionEvents;
  #state: "idle" | "running" | "draining" | "closed" = "idle";
  #cause: KagurazakaError | undefined;
  #isPulling = false;
  #listEnded = false;
  #settled = 0;
  #sweepTimer: NodeJS.Timeout | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  #finish: () => void = () => {};

  constructor(queue: FleetQueue, settings: Pick<RunSettings, "chunksize" | "grace" | "stall">) {
    this.#queue = queue;
    this.#settings = settings;
    this.#clock = new StallClock(settings.stall);
  }

  run(chunks: AsyncIterator<Chunk>, events: ExecutionEvents): Promise<KagurazakaError | undefined> {
    this.#chunks = chunks;
    this.#events = events;
    return new Promise((resolve) => {
      this.#finish = () => resolve(this.#cause);
      if (this.#state !== "idle") return this.#finish();
      this.#state = "running";
      this.#clock.reset();
      this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_MS);
      this.#pump();
    });
  }

  drain(graceMs: number, cause?: KagurazakaError): void {
    if (this.#state === "idle") return this.stop(cause);
    if (this.#state !== "running") return;
    this.#cause ??= cause;
    this.#state = "draining";
    this.#cancelReady(() => true);
    this.#queue.drain(graceMs);
    this.#graceTimer = setTimeout(() => this.stop(), Math.min(MAX_TIMER_MS, graceMs));
    this.#pump();
  }

  stop(cause?: KagurazakaError): void {
    if (this.#state === "closed") return;
    this.#cause ??= cause;
    if (this.#state === "idle") this.#state = "closed";
    else this.#close();
  }

  stopShard(shard: number): void {
    this.#stoppedShards.add(shard);
    this.#cancelReady((header) => header.shard === shard);
    this.#queue.drain(this.#settings.grace, shard);
    this.#pump();
  }

  snapshot(): ExecutionSnapshot {
    const oldest = [...this.#heartbeats.values()].flatMap(({ snapshot }) => snapshot.oldest ?? []);
    oldest.sort((a, b) => b.sinceMs - a.sinceMs);
    return { inFlight: this.#out.size, waiting: this.#ready.length, scopes: this.#scopes(), oldest: oldest[0] };
  }

  /** Of all nodes. */
  #scopes(): ExecutionSnapshot["scopes"] {
    const all = new Map<string, number>();
    for (const { snapshot } of this.#heartbeats.values())
      for (const { scope, items } of snapshot.scopes) all.set(scope, (all.get(scope) ?? 0) + items);
    return [...all].map(([scope, items]) => ({ scope, items })).sort((a, b) => b.items - a.items);
  }

  // ── Events of the queue ─────────────────────────────────────────────────────────────────────────────────────────────

  onOutcomes({ chunk, plain, rest }: NodeOutcomes, forget: () => void): void {
    if (this.#state === "closed") return;
    let totalMs = 0;
    for (let i = 0; i < plain.length; i += 2) {
      const ref = this.#out.take(chunk, plain[i]!);
      if (!ref) continue;
      totalMs += plain[i + 1]!;
      this.#events.onDone(ref.chunk, ref.index, plain[i + 1]!);
    }
    for (const { index, attempt, ...settled } of rest) {
      const ref = this.#out.take(chunk, index);
      if (!ref) continue;
      totalMs += settled.durationMs;
      const item = ref.chunk.itemAt(ref.index);
      item.attempt = attempt;
      this.#events.onSettled(item, settled);
    }
    const count = plain.length / 2 + rest.length;
    this.#settled += count;
    this.#mean.add(totalMs, count);
    this.#clock.reset();
    this.#events.onMessageDone(forget);
    this.#pump();
  }

  onGivenBack(chunk: number, indices: readonly number[]): void {
    if (this.#state === "closed") return;
    for (const index of indices) {
      const ref = this.#out.take(chunk, index);
      if (ref) this.#events.onSettled(ref.chunk.itemAt(ref.index), { status: "cancelled", durationMs: 0 });
    }
    this.#events.onMessageDone();
    this.#pump();
  }

  onNodeMessage(message: NodeMessage): void {
    if (this.#state === "idle") return;
    switch (message.type) {
      case "print":
      case "log":
        return this.#events.onMessage(message);
      case "warning":
        return this.#events.onWarning(message.message);
      case "recycled":
        return this.#events.onRecycled(message.worker, message.why);
      case "heartbeat":
        return void this.#heartbeats.set(message.node, message);
      case "shard-failed":
        return this.#events.onShardFailed(message.shard, environmentOf(message.error));
      case "retry": {
        const ref = this.#out.find(message.chunk, message.index);
        if (!ref) return;
        const item = ref.chunk.itemAt(ref.index);
        item.attempt = message.attempt;
        return this.#events.onRetry(item, message.error, message.delayMs);
      }
    }
  }

  onQueueLost(why: string): void {
    this.stop(new KagurazakaError("queue", `the queue cannot be reached: ${why}`, { hint: AGAIN }));
  }

  onNodeLeft(node: string, error?: ErrorRecord): void {
    this.#heartbeats.delete(node);
    if (error === undefined || this.#state !== "running") return;
    // Before any item has settled, a failed setup stops the run, as on one machine. Later only this node leaves.
    if (this.#settled === 0) return this.stop(environmentOf(error));
    this.#events.onWarning(`node ${node} left the run: ${error.message}`);
  }

  // ── Scheduling ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #pump(): void {
    if (this.#state === "running") {
      while (this.#ready.length > 0 && this.#hasRoom) this.#send();
      this.#pull();
    }
    if (this.#state === "closed" || this.#out.size > 0) return;
    if (this.#state === "running" && !(this.#listEnded && this.#ready.length === 0)) return;
    this.#close();
  }

  get #hasRoom(): boolean {
    const items = this.#mean.ms === undefined ? FIRST_WINDOW_ITEMS : WINDOW_ITEMS;
    return this.#out.size < items && this.#out.chars < WINDOW_CHARS;
  }

  #send(): void {
    const { chunksize } = this.#settings;
    const fitting = this.#settled < FIRST_ITEMS ? 1 : itemsPerWorker(this.#mean.ms, 1);
    const slice = this.#ready.take(
      chunksize === "auto" ? Math.min(fitting, MAX_CHUNK_ITEMS) : chunksize,
      MAX_CHUNK_CHARS,
    )!;
    this.#queue.send(this.#out.add(slice));
  }

  #pull(): void {
    if (this.#isPulling || this.#listEnded || !this.#hasRoom) return;
    this.#isPulling = true;
    this.#chunks.next().then(
      ({ done, value }) => {
        this.#isPulling = false;
        if (done) this.#listEnded = true;
        else this.#ready.push(value);
        if (!done && (this.#state !== "running" || this.#stoppedShards.has(value.header.shard)))
          this.#cancelReady((header) => header === value.header);
        this.#pump();
      },
      (error) => {
        this.#isPulling = false;
        this.#cause ??= asKagurazakaError(error, "the plan failed");
        this.#listEnded = true;
        this.#pump();
      },
    );
  }

  #cancelReady(wanted: Parameters<ReadyQueue["drain"]>[0]): void {
    for (const item of this.#ready.drain(wanted)) this.#events.onSettled(item, { status: "cancelled", durationMs: 0 });
  }

  #sweep(): void {
    if (this.#out.size === 0) return this.#clock.reset();
    // Progress reported by a busy node counts like an outcome.
    const busy = [...this.#heartbeats.values()].filter(({ snapshot }) => snapshot.inFlight > 0);
    const quietMs = Math.min(this.#clock.quietMs(), ...busy.map(({ quietMs }) => quietMs));
    const verdict = this.#clock.judge(quietMs);
    if (verdict === "fine") return;
    const message = `no item has settled for ${shortDuration(quietMs)} on ${this.#heartbeats.size} nodes`;
    if (verdict === "stalled") this.drain(0, new KagurazakaError("stalled", message));
    else this.#events.onWarning(message);
  }

  #close(): void {
    const how = this.#out.size === 0 ? "done" : "left";
    this.#state = "closed";
    clearInterval(this.#sweepTimer);
    clearTimeout(this.#graceTimer);
    this.#cancelReady(() => true);
    for (const ref of this.#out.takeAll()) {
      this.#events.onSettled(ref.chunk.itemAt(ref.index), { status: "cancelled", durationMs: 0 });
    }
    this.#events.onMessageDone();
    void this.#chunks.return?.().catch(() => {});
    this.#queue.end(how).then(
      () => this.#finish(),
      (error) => {
        const { message } = toErrorRecord(error);
        this.#cause ??= new KagurazakaError("queue", `the connection to the queue could not be closed: ${message}`, {
          cause: error,
        });
        this.#finish();
      },
    );
  }
}

/** Turns an error of a node into the error that stops the run. */
function environmentOf(error: ErrorRecord): KagurazakaError {
  const details = { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  return new KagurazakaError("environment", error.message, details);
}
