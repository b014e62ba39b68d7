import { MAX_TIMER_MS } from "../../base/clock.js";
import { asKagurazakaError, type ErrorRecord, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { shortDuration } from "../../base/text.js";
import type { Chunk, PendingItem } from "../../contracts/chunk.js";
import type { ExecutionEvents, ExecutionSnapshot } from "../../contracts/execution.js";
import type { FleetExecution, FleetQueue, NodeMessage, NodeOutcomes } from "../../contracts/fleet.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { environmentOf, LOST_TWICE, TOO_LARGE } from "./errors.js";
import { FirstOutcomes } from "./first-outcomes.js";
import { NodeHeartbeats } from "./node-heartbeats.js";
import { isTooLarge, OutgoingItems } from "./outgoing-items.js";
import { OutstandingChunks } from "./outstanding-chunks.js";
import type { ChunkSlice } from "./queues.js";
import { StallClock } from "./stall-clock.js";

const SWEEP_MS = 250;
const AGAIN = "Recorded outcomes are kept. Start the queue and run the same command again.";

type FleetSettings = Pick<RunSettings, "chunksize" | "grace" | "stall" | "rate">;

/** The coordinator's side of a fleet, without the queue: which items are outstanding, in which chunk, and their outcomes. */
export class FleetBookkeeping implements FleetExecution {
  readonly #queue: FleetQueue;
  readonly #settings: FleetSettings;
  readonly #outgoing: OutgoingItems;
  readonly #out = new OutstandingChunks();
  readonly #first: FirstOutcomes;
  readonly #clock: StallClock;
  readonly #stoppedShards = new Set<number>();
  readonly #nodes = new NodeHeartbeats();
  #chunks!: AsyncIterator<Chunk>;
  #events!: ExecutionEvents;
  #state: "idle" | "running" | "draining" | "closed" = "idle";
  #cause: KagurazakaError | undefined;
  #isPulling = false;
  #listEnded = false;
  #settled = 0;
  #sweepTimer: NodeJS.Timeout | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  #rateTimer: NodeJS.Timeout | undefined;
  #finish: () => void = () => {};

  constructor(queue: FleetQueue, settings: FleetSettings) {
    this.#queue = queue;
    this.#settings = settings;
    this.#clock = new StallClock(settings.stall);
    this.#outgoing = new OutgoingItems(settings);
    this.#first = new FirstOutcomes(this.#out, this.#outgoing);
  }

  run(chunks: AsyncIterator<Chunk>, events: ExecutionEvents): Promise<KagurazakaError | undefined> {
    this.#chunks = chunks;
    this.#events = events;
    return new Promise((resolve) => {
      this.#finish = () => resolve(this.#cause);
      // `stop()` came before `run()`.
      if (this.#state !== "idle") return this.#endQueue("done");
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
    // What is in the queue waits for a node.
    const inFlight = Math.min(this.#out.size, this.#nodes.inFlight);
    const waiting = this.#out.size - inFlight + this.#outgoing.length;
    return { inFlight, waiting, scopes: this.#nodes.scopes(), oldest: this.#nodes.oldest() };
  }

  // ── Events of the queue ─────────────────────────────────────────────────────────────────────────────────────────────

  onOutcomes({ chunk, plain, rest }: NodeOutcomes, forget: () => void): void {
    if (this.#state === "closed") return;
    let totalMs = 0;
    for (let i = 0; i < plain.length; i += 2) {
      const ref = this.#first.take(chunk, plain[i]!);
      if (!ref) continue;
      totalMs += plain[i + 1]!;
      this.#events.onDone(ref.chunk, ref.index, plain[i + 1]!);
    }
    for (const { index, attempt, ...settled } of rest) {
      const ref = this.#first.take(chunk, index);
      if (!ref) continue;
      totalMs += settled.durationMs;
      const item = ref.chunk.itemAt(ref.index);
      item.attempt = attempt;
      this.#events.onSettled(item, settled);
    }
    const count = plain.length / 2 + rest.length;
    this.#settled += count;
    this.#outgoing.settled(count, totalMs);
    this.#clock.reset();
    this.#events.onMessageDone(forget);
    this.#pump();
  }

  onGivenBack(chunk: number, indices?: readonly number[]): void {
    if (this.#state === "closed") return;
    const isolated = this.#out.isIsolated(chunk);
    this.#sendAgain(this.#out.takeItems(chunk, indices), isolated);
  }

  onBegunAlone(chunk: number, index: number): void {
    this.#out.beginAlone(chunk, index);
  }

  onLost(chunk: number): void {
    if (this.#state === "closed") return;
    const culprit = this.#out.takeAlone(chunk);
    if (culprit) this.#events.onSettled(culprit, { status: "failed", durationMs: 0, error: LOST_TWICE });
    this.#sendAgain(this.#out.lose(chunk), true);
  }

  isOpen(chunk: number): boolean {
    return this.#out.has(chunk);
  }

  openChunks(): Iterable<number> {
    return this.#out.ids();
  }

  /** While the run drains, such items are cancelled. */
  #sendAgain(items: readonly PendingItem[], isolated: boolean): void {
    for (const item of items.toReversed())
      if (this.#state === "running" && !this.#stoppedShards.has(item.header.shard))
        this.#outgoing.unshift(item, isolated);
      else this.#cancel(item);
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
      case "heartbeat": {
        const isFirst = this.#nodes.count === 0;
        this.#nodes.add(message);
        return isFirst ? this.#pump() : undefined;
      }
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
    this.stop(new KagurazakaError("queue", `the queue cannot be used: ${why}`, { hint: AGAIN }));
  }

  onNodeLeft(node: string, error?: ErrorRecord): void {
    this.#nodes.remove(node);
    if (error === undefined || this.#state !== "running") return;
    this.#nodes.refused(error);
    this.#events.onWarning(`node ${node} left the run: ${error.message}`);
  }

  // ── Scheduling ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #pump(): void {
    if (this.#state === "running") {
      while (this.#hasRoom && this.#send());
      this.#pull();
    }
    if (this.#state === "closed" || this.#out.size > 0) return;
    if (this.#state === "running" && !(this.#listEnded && this.#outgoing.length === 0)) return;
    this.#close();
  }

  get #hasRoom(): boolean {
    return this.#out.hasRoom(this.#outgoing.isMeasured, this.#nodes.inFlight);
  }

  #send(): boolean {
    const next = this.#outgoing.take(this.#nodes.count);
    if (next && isTooLarge(next.slice)) this.#refuse(next.slice);
    else if (next) this.#queue.send(this.#out.add(next.slice, next.isolated));
    const waitMs = next ? undefined : this.#outgoing.waitMs(this.#nodes.count);
    if (waitMs !== undefined) {
      clearTimeout(this.#rateTimer);
      this.#rateTimer = setTimeout(() => this.#pump(), waitMs);
    }
    return next !== undefined;
  }

  #refuse({ chunk, from }: ChunkSlice): void {
    this.#events.onSettled(chunk.itemAt(from), { status: "failed", durationMs: 0, error: TOO_LARGE });
    this.#events.onMessageDone();
  }

  #pull(): void {
    if (this.#isPulling || this.#listEnded || !this.#hasRoom) return;
    this.#isPulling = true;
    this.#chunks.next().then(
      ({ done, value }) => {
        this.#isPulling = false;
        if (done) this.#listEnded = true;
        else this.#outgoing.push(value);
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

  #cancelReady(wanted: Parameters<OutgoingItems["drain"]>[0]): void {
    for (const item of this.#outgoing.drain(wanted)) this.#cancel(item);
  }

  #cancel(item: PendingItem): void {
    this.#out.settled(item);
    this.#events.onSettled(item, { status: "cancelled", durationMs: 0 });
  }

  #sweep(): void {
    // Before any item has settled, a failed setup stops the run, as on one machine. Later only that node has left.
    const refusal = this.#settled === 0 ? this.#nodes.refusal() : undefined;
    if (refusal) return this.stop(environmentOf(refusal));
    if (this.#out.size === 0) return this.#clock.reset();
    const quietMs = Math.min(this.#clock.quietMs(), this.#nodes.quietMs());
    const verdict = this.#clock.judge(quietMs);
    if (verdict === "fine") return;
    const message = `no item has settled for ${shortDuration(quietMs)} on ${this.#nodes.count} nodes`;
    if (verdict === "stalled") this.drain(0, new KagurazakaError("stalled", message));
    else this.#events.onWarning(message);
  }

  #close(): void {
    const how = this.#out.size === 0 ? "done" : "left";
    if (this.#first.warning !== undefined) this.#events.onWarning(this.#first.warning);
    this.#state = "closed";
    clearInterval(this.#sweepTimer);
    clearTimeout(this.#graceTimer);
    clearTimeout(this.#rateTimer);
    this.#cancelReady(() => true);
    for (const ref of this.#out.takeAll()) this.#cancel(ref.chunk.itemAt(ref.index));
    this.#events.onMessageDone();
    void this.#chunks.return?.().catch(() => {});
    this.#endQueue(how);
  }

  #endQueue(how: "done" | "left"): void {
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
