import { monotonicMs } from "../../base/clock.js";
import type { Chunk, ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { ItemChunk } from "../plan/item-chunk.js";
import { itemsPerWorker, MeanDuration, shareOf } from "./chunk-size.js";
import type { InFlightObserver } from "./ports.js";
import { type ChunkSlice, ReadyQueue, WaitingRoom } from "./queues.js";
import { Throttle } from "./throttle.js";
import type { WorkerHandle } from "./worker-handle.js";
import type { WorkerPool } from "./worker-pool.js";

const LOOKAHEAD_CHARS = 32 * 1024 * 1024;
const LOOKAHEAD_ITEMS = 1024;
const MAX_CHUNK_ITEMS = 1024;
const MAX_CHUNK_CHARS = 1024 * 1024;
const MAX_WORKER_CHARS = 16 * 1024 * 1024;
/** The first items are sent one by one, because they show whether the task works: a broken task fails few items. */
const FIRST_ITEMS = 20;

interface FeederOptions {
  readonly pool: WorkerPool;
  readonly settings: Pick<RunSettings, "rate" | "chunksize">;
  /** Items that may run at once, when all workers are there. */
  readonly slots: number;
  /** @defaultValue 1024 */
  readonly lookaheadItems?: number | undefined;
  readonly inFlight?: InFlightObserver | undefined;
}

/**
 * Owns all items that wait or are in flight, and sends them to workers: ready items go to the worker with the fewest items,
 * items in backoff wait for their time, suspects of a crash run one by one in quarantine.
 */
export class Feeder {
  readonly #options: FeederOptions;
  readonly #pool: WorkerPool;
  readonly #ready = new ReadyQueue();
  readonly #waiting = new WaitingRoom();
  #suspects: PendingItem[] = [];
  /** The suspect that was last sent to run alone. */
  #alone: PendingItem | undefined;
  readonly #mean = new MeanDuration();
  readonly #throttle: Throttle;
  #nextSeq = 1;
  #settled = 0;
  #inFlight = 0;
  /** Nothing more will be pushed. */
  listEnded = false;

  constructor(options: FeederOptions) {
    this.#options = options;
    this.#pool = options.pool;
    this.#throttle = new Throttle(options.slots, options.settings.rate, monotonicMs());
  }

  /** Items in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#ready.length + this.#waiting.length + this.#suspects.length;
  }

  /** Whether the plan must list more items, because workers would run out of them. */
  get wantsMore(): boolean {
    const work = this.#mean.ms === undefined ? 0 : this.#pool.workers.length * itemsPerWorker(this.#mean.ms, 1);
    const wanted = Math.max(this.#options.lookaheadItems ?? LOOKAHEAD_ITEMS, this.#pool.slots * 2, work);
    return !this.listEnded && this.#ready.length < wanted && this.#ready.chars < LOOKAHEAD_CHARS;
  }

  /** When the state changes without a message; Infinity when only a message changes it. */
  nextMs(now: number): number {
    const throttled = this.#ready.length > 0 ? this.#throttle.nextMs(now) : Number.POSITIVE_INFINITY;
    return Math.min(this.#waiting.nextMs, throttled);
  }

  // ── Input ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  push(chunk: Chunk): void {
    this.#ready.push(chunk);
  }

  /** Returns the item to the front of the queue. It is not the cause, so the start does not count as an attempt. */
  putBack(item: PendingItem): void {
    if (item === this.#alone) this.#suspects.unshift(item);
    else this.#ready.unshift(item);
  }

  suspect(item: PendingItem): void {
    this.#suspects.push(item);
  }

  /** The item runs again after this time. */
  wait(item: PendingItem, delayMs: number): void {
    this.#waiting.add(item, monotonicMs() + delayMs);
  }

  /** A service asked to wait (`RetryAfterError`). */
  pause(item: PendingItem, scope: string | undefined, delayMs: number): void {
    item.scope = scope;
    this.#waiting.add(item, this.#throttle.pause(scope, delayMs, monotonicMs()));
  }

  // ── Output ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** This many items of a worker are done. */
  left(count: number): void {
    this.#inFlight -= count;
  }

  /** Takes out one item that needs more than counting: an outcome to report, or a retry. */
  takeItem(worker: WorkerHandle, seq: number): PendingItem | undefined {
    const ref = worker.take(seq);
    if (!ref) return undefined;
    this.#inFlight--;
    return ref.chunk.itemAt(ref.index);
  }

  /** Takes out every waiting item with such a header; items in flight stay. */
  drain(wanted: (header: ChunkHeader) => boolean): PendingItem[] {
    const suspects = this.#suspects.filter(({ header }) => wanted(header));
    this.#suspects = this.#suspects.filter(({ header }) => !wanted(header));
    return [...suspects, ...this.#ready.drain(wanted), ...this.#waiting.drain(wanted)];
  }

  /** Updates the mean duration from one message of outcomes. */
  settled(count: number, totalMs: number): void {
    this.#settled += count;
    this.#mean.add(totalMs, count);
  }

  succeeded(count: number): void {
    this.#throttle.succeeded(count);
  }

  // ── To the workers ───────────────────────────────────────────────────────────────────────────────────────────────────

  feed(now: number): void {
    this.#promoteWaiting(now);
    this.#quarantineSuspect();
    this.#feedHungry(now);
    this.#flush(now);
  }

  #promoteWaiting(now: number): void {
    if (this.#waiting.nextMs > now) return;
    for (const item of this.#waiting.takeDue(now)) {
      const pausedUntil = this.#throttle.scopePausedUntilMs(item.scope);
      if (pausedUntil > now) this.#waiting.add(item, pausedUntil);
      else this.#ready.unshift(item);
    }
  }

  /** One suspect at a time, in a worker that runs nothing else: the youngest one, which has executed the fewest items. */
  #quarantineSuspect(): void {
    const suspect = this.#suspects[0];
    const { workers } = this.#pool;
    const isBusy = (one: WorkerHandle): boolean =>
      one.quarantined && (one.inFlight.size > 0 || one.state === "draining" || one.state === "closing");
    if (!suspect || workers.some(isBusy)) return;
    const open = workers.filter((one) => one.takesItems);
    open.sort((a, b) => a.inFlight.size - b.inFlight.size || b.id - a.id);
    const worker = open.find((one) => one.quarantined) ?? open[0];
    if (!worker) return;
    worker.quarantined = true;
    // A draining worker is replaced when it is empty, by a worker that has run no item yet.
    if (suspect.needsFreshWorker && worker.given > 0) return this.#pool.drain(worker);
    if (worker.inFlight.size > 0) return;
    this.#alone = this.#suspects.shift();
    this.#send(worker, { chunk: new ItemChunk([suspect]), from: 0, to: 1 });
  }

  #feedHungry(now: number): void {
    for (;;) {
      // The last items wait here, so that none waits behind a slow item of one worker while another worker is idle.
      const ending = this.listEnded && this.#ready.length < 8 * this.#pool.slots;
      const tight = ending || this.#throttle.tight || this.#settled < FIRST_ITEMS;
      const { workers } = this.#pool;
      const hungry = workers.filter((worker) => this.#isHungry(worker, tight));
      hungry.sort((a, b) => a.inFlight.size / a.slots - b.inFlight.size / b.slots);
      let sent = 0;
      for (const [index, worker] of hungry.entries()) {
        const share = shareOf(this.#ready.length, workers.length, hungry.length - index, this.listEnded);
        const room = this.#capacity(worker, tight) - worker.inFlight.size;
        const allowed = this.#throttle.allowance(this.#inFlight, now);
        const count = Math.min(this.#ready.length, Math.max(share, worker.shape.queue), room, allowed, MAX_CHUNK_ITEMS);
        if (count >= 1) sent += this.#sendReady(worker, count);
      }
      if (sent === 0 || this.#ready.length === 0) return;
    }
  }

  #capacity({ slots, shape }: WorkerHandle, tight: boolean): number {
    const least = slots + shape.queue;
    return tight ? least : Math.max(least, itemsPerWorker(this.#mean.ms, slots));
  }

  /** The worker has less than half of its target: messages then carry many items, and no worker runs out of them. */
  #isHungry(worker: WorkerHandle, tight: boolean): boolean {
    if (!worker.takesItems || worker.quarantined || worker.chars >= MAX_WORKER_CHARS) return false;
    const capacity = this.#capacity(worker, tight);
    // Never fewer than its executor waits for, or it would wait forever.
    const low = Math.max(capacity / 2, worker.slots + worker.shape.queue);
    return worker.inFlight.size < (capacity > 4 * worker.slots ? low : capacity);
  }

  /** Tells executors that wait for more items, once each, when no more come for now. */
  #flush(now: number): void {
    const isDry = this.listEnded && this.#ready.length === 0;
    for (const worker of this.#pool.workers) {
      if (worker.shape.queue === 0 || worker.flushed || !worker.takesItems || worker.inFlight.size === 0) continue;
      const isFull = worker.chars >= MAX_WORKER_CHARS;
      if (!isDry && !isFull && !worker.quarantined && this.#throttle.allowance(this.#inFlight, now) >= 1) continue;
      worker.flushed = true;
      worker.channel.send({ type: "flush" });
    }
  }

  #sendReady(worker: WorkerHandle, count: number): number {
    const { chunksize } = this.#options.settings;
    const slice = this.#ready.take(chunksize === "auto" ? count : Math.min(count, chunksize), MAX_CHUNK_CHARS);
    if (!slice) return 0;
    this.#throttle.started(slice.to - slice.from);
    this.#send(worker, slice);
    return slice.to - slice.from;
  }

  #send(worker: WorkerHandle, slice: ChunkSlice): void {
    const { chunk, from, to } = slice;
    const firstSeq = this.#nextSeq;
    const keys = chunk.keysText(from, to);
    this.#nextSeq += to - from;
    this.#inFlight += to - from;
    // Before the worker has them: the first of them may crash this process.
    this.#options.inFlight?.sending(worker, chunk.header.shard, keys);
    worker.send(firstSeq, slice, keys);
  }
}
