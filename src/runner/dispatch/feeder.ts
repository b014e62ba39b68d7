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
/** They tell whether the task works at all, so they go one by one: a broken task fails few items before the run stops. */
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
 * Everything that waits or is in flight, and who gets it: ready items go to the worker that has least, items that back off
 * wait for their time, suspects of a crash run one by one in quarantine.
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

  /** Items at workers. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#ready.length + this.#waiting.length + this.#suspects.length;
  }

  /** The plan should be pulled further: workers would run dry. */
  get wantsMore(): boolean {
    const work = this.#mean.ms === undefined ? 0 : this.#pool.workers.length * itemsPerWorker(this.#mean.ms, 1);
    const wanted = Math.max(this.#options.lookaheadItems ?? LOOKAHEAD_ITEMS, this.#pool.slots * 2, work);
    return !this.listEnded && this.#ready.length < wanted && this.#ready.chars < LOOKAHEAD_CHARS;
  }

  /** When time alone changes something; Infinity when only a message can. */
  nextMs(now: number): number {
    const throttled = this.#ready.length > 0 ? this.#throttle.nextMs(now) : Number.POSITIVE_INFINITY;
    return Math.min(this.#waiting.nextMs, throttled);
  }

  // ── In ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  push(chunk: Chunk): void {
    this.#ready.push(chunk);
  }

  /** Back to the front: the item is not to blame, and the start costs it no attempt. */
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

  /** A service asked for patience. */
  pause(item: PendingItem, scope: string | undefined, delayMs: number): void {
    item.scope = scope;
    this.#waiting.add(item, this.#throttle.pause(scope, delayMs, monotonicMs()));
  }

  // ── Out ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** So many items have left their worker, done. */
  left(count: number): void {
    this.#inFlight -= count;
  }

  /** An item leaves its worker, with something to be said or done about it. */
  takeItem(worker: WorkerHandle, seq: number): PendingItem | undefined {
    const ref = worker.take(seq);
    if (!ref) return undefined;
    this.#inFlight--;
    return ref.chunk.itemAt(ref.index);
  }

  /** Takes out every item with such a header that is not at a worker. */
  drain(wanted: (header: ChunkHeader) => boolean): PendingItem[] {
    const suspects = this.#suspects.filter(({ header }) => wanted(header));
    this.#suspects = this.#suspects.filter(({ header }) => !wanted(header));
    return [...suspects, ...this.#ready.drain(wanted), ...this.#waiting.drain(wanted)];
  }

  /** A message of outcomes is through: the next items will take as long as these did. */
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

  /** One suspect at a time, in a worker where nothing else runs; the youngest worker, for it has the least behind it. */
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
    // Drained, it is replaced once it is empty: by a worker in which nothing has run.
    if (suspect.needsFreshWorker && worker.given > 0) return this.#pool.drain(worker);
    if (worker.inFlight.size > 0) return;
    this.#alone = this.#suspects.shift();
    this.#send(worker, { chunk: new ItemChunk([suspect]), from: 0, to: 1 });
  }

  #feedHungry(now: number): void {
    for (;;) {
      // The last items wait here, and not in a worker behind a slow one while another is idle.
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

  /** Below half of what it should have: messages then carry many items, and none of them runs dry. */
  #isHungry(worker: WorkerHandle, tight: boolean): boolean {
    if (!worker.takesItems || worker.quarantined || worker.chars >= MAX_WORKER_CHARS) return false;
    const capacity = this.#capacity(worker, tight);
    // Never below what its executor waits for: it would wait for ever.
    const low = Math.max(capacity / 2, worker.slots + worker.shape.queue);
    return worker.inFlight.size < (capacity > 4 * worker.slots ? low : capacity);
  }

  /** Executors that wait for more items are told where no more come for now, each once. */
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
    worker.send(firstSeq, slice, keys);
    this.#options.inFlight?.sent(worker, chunk.header.shard, keys);
  }
}
