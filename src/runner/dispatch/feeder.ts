import { monotonicMs } from "../../base/clock.js";
import type { Chunk, ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { ItemChunk } from "../plan/item-chunk.js";
import { itemsPerWorker, MeanDuration, shareOf } from "./chunk-size.js";
import type { InFlightObserver } from "./ports.js";
import { type ChunkSlice, ReadyQueue, WaitingRoom } from "./queues.js";
import { type ScopeGate, Scopes } from "./scopes.js";
import { Throttle } from "./throttle.js";
import type { WorkerHandle } from "./worker-handle.js";
import type { WorkerPool } from "./worker-pool.js";

const LOOKAHEAD_CHARS = 32 * 1024 * 1024;
const LOOKAHEAD_ITEMS = 1024;
/** While so many items wait for a time, the plan lists no more. */
const MAX_WAITING_ITEMS = 16_384;
const MAX_WAITING_CHARS = 32 * 1024 * 1024;
/** The least an item waits that has asked before: it doubles up to a second, whatever the item asks for. */
const MIN_ASKED_MS = 10;
const MAX_MIN_ASKED_MS = 1000;
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
 * items in backoff wait for their time, those of a scope for that scope, suspects of a crash run one by one in quarantine.
 */
export class Feeder {
  readonly #options: FeederOptions;
  readonly #pool: WorkerPool;
  readonly #ready = new ReadyQueue();
  readonly #backoff = new WaitingRoom();
  /** Items that asked for patience without a scope. */
  readonly #asked = new WaitingRoom();
  readonly #scopes: Scopes;
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
    const now = monotonicMs();
    this.#throttle = new Throttle(options.settings.rate, now);
    this.#scopes = new Scopes(options.slots, now);
  }

  /** Items in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#ready.length + this.#backoff.length + this.asking + this.#suspects.length;
  }

  /** Items that wait because they asked to (`RetryAfterError`). */
  get asking(): number {
    return this.#asked.length + this.#scopes.waiting;
  }

  /** Scopes with items that wait, the one with most items first. */
  get scopes(): { scope: string; items: number }[] {
    const all = [...this.#scopes.gates].map(({ scope, length: items }) => ({ scope, items }));
    return all.filter(({ items }) => items > 0).sort((a, b) => b.items - a.items);
  }

  /** Whether the plan must list more items, because workers would run out of them. */
  get wantsMore(): boolean {
    const work = this.#mean.ms === undefined ? 0 : this.#pool.workers.length * itemsPerWorker(this.#mean.ms, 1);
    const wanted = Math.max(this.#options.lookaheadItems ?? LOOKAHEAD_ITEMS, this.#pool.slots * 2, work);
    const hasRoom = this.#ready.length < wanted && this.#ready.chars < LOOKAHEAD_CHARS;
    return !this.listEnded && hasRoom && !this.#isWaitingFull;
  }

  get #isWaitingFull(): boolean {
    const chars = this.#backoff.chars + this.#asked.chars + this.#scopes.chars;
    return this.#backoff.length + this.asking >= MAX_WAITING_ITEMS || chars >= MAX_WAITING_CHARS;
  }

  /** When the state changes without a message; Infinity when only a message changes it. */
  nextMs(now: number): number {
    const isReady = this.#ready.length > 0;
    const throttled = isReady || this.#scopes.waiting > 0 ? this.#throttle.nextMs(now) : Number.POSITIVE_INFINITY;
    return Math.min(this.#backoff.nextMs, this.#asked.nextMs, throttled, this.#scopes.nextMs(now, isReady));
  }

  // ── Input ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  push(chunk: Chunk): void {
    this.#ready.push(chunk);
  }

  /** Returns the item to the front of the queue. It is not the cause, so the start does not count as an attempt. */
  putBack(item: PendingItem): void {
    if (item === this.#alone) this.#suspects.unshift(item);
    else if (!this.#scopes.putBack(item)) this.#ready.unshift(item);
  }

  suspect(item: PendingItem): void {
    this.#suspects.push(item);
  }

  /** The item runs again after this time. */
  retryAfter(item: PendingItem, delayMs: number): void {
    this.#backoff.add(item, monotonicMs() + delayMs);
  }

  /** The item asked for patience (`RetryAfterError`): it waits, with a scope along with all items of the scope. */
  ask(
    item: PendingItem,
    { delayMs, scope, durationMs }: { delayMs: number; scope?: string; durationMs: number },
  ): void {
    const nowMs = monotonicMs();
    const least = item.asks === 0 ? 0 : Math.min(MAX_MIN_ASKED_MS, MIN_ASKED_MS * 2 ** (item.asks - 1));
    item.asks++;
    if (scope === undefined) return this.#asked.add(item, nowMs + Math.max(least, delayMs));
    const wasTight = this.#scopes.tight;
    this.#scopes.refused(item, scope, { nowMs, startedMs: nowMs - durationMs, delayMs });
    if (!wasTight) this.#recall();
  }

  /** Items that workers got in advance come back: they would all start at once. */
  #recall(): void {
    for (const worker of this.#pool.workers)
      if (worker.inFlight.size > worker.slots + worker.shape.queue) worker.channel.send({ type: "give-back" });
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
    this.#scopes.left(seq);
    return ref.chunk.itemAt(ref.index);
  }

  /** Takes out every waiting item with such a header; items in flight stay. */
  drain(wanted: (header: ChunkHeader) => boolean): PendingItem[] {
    const suspects = this.#suspects.filter(({ header }) => wanted(header));
    this.#suspects = this.#suspects.filter(({ header }) => !wanted(header));
    const waiting = [this.#ready, this.#backoff, this.#asked, this.#scopes].flatMap((queue) => queue.drain(wanted));
    return [...suspects, ...waiting];
  }

  /** Updates the mean duration from one message of outcomes. */
  settled(count: number, totalMs: number): void {
    this.#settled += count;
    this.#mean.add(totalMs, count);
  }

  /** Whether any item has named a scope: then each success is reported. */
  get hasScopes(): boolean {
    return this.#scopes.any;
  }

  /** An item in flight has succeeded; it was counted out before, or by `takeItem`. */
  succeeded(seq: number, durationMs: number, item?: PendingItem): void {
    this.#scopes.accepted(item?.scope ?? this.#scopes.left(seq), durationMs, monotonicMs());
  }

  // ── To the workers ───────────────────────────────────────────────────────────────────────────────────────────────────

  feed(now: number): void {
    this.#promoteWaiting(now);
    this.#quarantineSuspect(now);
    for (const gate of this.#scopes.gates) this.#feedScope(gate, now);
    this.#feedHungry(now);
    this.#flush(now);
  }

  #promoteWaiting(now: number): void {
    for (const room of [this.#backoff, this.#asked])
      if (room.nextMs <= now) for (const item of room.takeDue(now)) this.#ready.unshift(item);
  }

  /** One suspect at a time, in a worker that runs nothing else: the youngest one, which has executed the fewest items. */
  #quarantineSuspect(now: number): void {
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
    this.#send(worker, { chunk: new ItemChunk([suspect]), from: 0, to: 1 }, now);
  }

  /** Items of a scope start one by one, each in the worker with the most room. */
  #feedScope(gate: ScopeGate, now: number): void {
    const allowed = Math.min(this.#scopes.allowance(gate, now, this.#inFlight), this.#throttle.allowance(now));
    for (let left = allowed; left >= 1; left--) {
      const free = this.#pool.workers.filter((one) => one.inFlight.size < one.slots && this.#isHungry(one, true));
      if (free.length === 0) return;
      const worker = free.reduce((best, one) => (one.inFlight.size < best.inFlight.size ? one : best));
      this.#throttle.started(1);
      this.#send(worker, { chunk: new ItemChunk([gate.shift()]), from: 0, to: 1 }, now, gate);
    }
  }

  #feedHungry(now: number): void {
    for (;;) {
      // The last items wait here, so that none waits behind a slow item of one worker while another worker is idle.
      const ending = this.listEnded && this.#ready.length < 8 * this.#pool.slots;
      const tight = ending || this.#throttle.isActive || this.#scopes.tight || this.#settled < FIRST_ITEMS;
      const { workers } = this.#pool;
      const hungry = workers.filter((worker) => this.#isHungry(worker, tight));
      hungry.sort((a, b) => a.inFlight.size / a.slots - b.inFlight.size / b.slots);
      let sent = 0;
      for (const [index, worker] of hungry.entries()) {
        const share = shareOf(this.#ready.length, workers.length, hungry.length - index, this.listEnded);
        const room = this.#capacity(worker, tight) - worker.inFlight.size;
        const allowed = this.#allowance(now);
        const count = Math.min(this.#ready.length, Math.max(share, worker.shape.queue), room, allowed, MAX_CHUNK_ITEMS);
        if (count >= 1) sent += this.#sendReady(worker, count, now);
      }
      if (sent === 0 || this.#ready.length === 0) return;
    }
  }

  /** How many ready items may start. */
  #allowance(now: number): number {
    return Math.min(this.#throttle.allowance(now), this.#scopes.unnamedAllowance(now, this.#inFlight));
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
    const isDry = (this.listEnded || this.#isWaitingFull) && this.#ready.length === 0;
    for (const worker of this.#pool.workers) {
      if (worker.shape.queue === 0 || worker.flushed || !worker.takesItems || worker.inFlight.size === 0) continue;
      const isFull = worker.chars >= MAX_WORKER_CHARS;
      if (!isDry && !isFull && !worker.quarantined && this.#allowance(now) >= 1) continue;
      worker.flushed = true;
      worker.channel.send({ type: "flush" });
    }
  }

  #sendReady(worker: WorkerHandle, count: number, now: number): number {
    const { chunksize } = this.#options.settings;
    const slice = this.#ready.take(chunksize === "auto" ? count : Math.min(count, chunksize), MAX_CHUNK_CHARS);
    if (!slice) return 0;
    this.#throttle.started(slice.to - slice.from);
    this.#send(worker, slice, now);
    return slice.to - slice.from;
  }

  /** @param gate the scope that the only item of the slice has named */
  #send(worker: WorkerHandle, slice: ChunkSlice, now: number, gate?: ScopeGate): void {
    const { chunk, from, to } = slice;
    const firstSeq = this.#nextSeq;
    const keys = chunk.keysText(from, to);
    this.#nextSeq += to - from;
    this.#inFlight += to - from;
    if (gate) this.#scopes.started(gate, firstSeq, now);
    else this.#scopes.startedUnnamed(to - from, now);
    // Before the worker has them: the first of them may crash this process.
    this.#options.inFlight?.sending(worker, chunk.header.shard, keys);
    worker.send(firstSeq, slice, keys);
  }
}
