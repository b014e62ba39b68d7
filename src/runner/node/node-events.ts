import { monotonicMs } from "../../base/clock.js";
import { toErrorRecord } from "../../base/errors.js";
import type { Chunk, PendingItem } from "../../contracts/chunk.js";
import type { ExecutionEvents } from "../../contracts/execution.js";
import type { ChunkMessage, NodeJob, NodeOutcome } from "../../contracts/fleet.js";
import { QueueChunk, QueueItem } from "../plan/chunk-message.js";

const MIN_INTERVAL_MS = 50;

interface ChunkOutcomes {
  readonly plain: number[];
  readonly rest: NodeOutcome[];
  readonly givenBack: number[];
}

/**
 * Connects a queue with the executions of a node: decodes chunks, collects outcomes by chunk, and sends them at the end of a
 * message from a worker. Those that come soon after, or while it is on its way, are collected. Cancelled items are given back.
 */
export class NodeEvents implements ExecutionEvents {
  readonly #job: NodeJob;
  #collected = new Map<number, ChunkOutcomes>();
  #sending = 0;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #soon: NodeJS.Timeout | undefined;
  #whenSent: Promise<unknown> = Promise.resolve();
  /** Items that have come, and are neither settled nor given back. */
  open = 0;
  settled = 0;
  #waiting: (() => void)[] = [];

  constructor(job: NodeJob) {
    this.#job = job;
  }

  decode(message: ChunkMessage): QueueChunk {
    const chunk = new QueueChunk(message);
    this.open += chunk.count;
    return chunk;
  }

  /** Resolves once the queue has all outcomes up to now. */
  get whenSent(): Promise<unknown> {
    this.flush();
    return this.#whenSent;
  }

  onDone(chunk: Chunk, index: number, durationMs: number): void {
    if (chunk instanceof QueueChunk && chunk.attemptAt(index) === 1) {
      this.open--;
      this.settled++;
      this.#outcomesOf(chunk.id).plain.push(index, Math.round(durationMs * 1000) / 1000);
    } else this.onSettled(chunk.itemAt(index), { status: "done", durationMs });
  }

  onSettled(pending: PendingItem, settled: Parameters<ExecutionEvents["onSettled"]>[1]): void {
    const item = queueItemOf(pending);
    const { chunk, index, attempt } = item;
    item.isOpen = false;
    this.open--;
    const outcomes = this.#outcomesOf(chunk);
    if (settled.status === "cancelled") return void outcomes.givenBack.push(index);
    this.settled++;
    outcomes.rest.push({ ...settled, index, attempt });
  }

  onMessageDone(onRecorded?: () => void): void {
    this.#flushInTime();
    onRecorded?.();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** At once, or when the last message has arrived and is 50 ms old: short items would make many messages. */
  #flushInTime(): void {
    if (this.#sending > 0 || this.#soon !== undefined || this.#collected.size === 0) return;
    const waitMs = this.#lastSentMs + MIN_INTERVAL_MS - monotonicMs();
    if (waitMs <= 0) this.flush();
    else this.#soon = setTimeout(() => this.flush(), waitMs);
  }

  /** Sends all outcomes up to now. */
  flush(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    const all = this.#collected;
    if (all.size === 0) return;
    this.#collected = new Map();
    const sent = [...all].map(([chunk, { plain, rest, givenBack }]) => {
      if (givenBack.length > 0) this.#job.giveBack(chunk, givenBack);
      return plain.length + rest.length > 0 ? this.#job.settle({ chunk, plain, rest }) : undefined;
    });
    this.#sending++;
    this.#lastSentMs = monotonicMs();
    const whenSent = Promise.all(sent).finally(() => {
      this.#sending--;
      this.#flushInTime();
    });
    this.#whenSent = Promise.all([this.#whenSent, whenSent]);
  }

  /** Resolves when at most so many items are open. */
  async openAtMost(count: number): Promise<void> {
    while (this.open > count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Gives an item back, unless it has settled. */
  giveBack(item: QueueItem): void {
    if (item.isOpen) this.onSettled(item, { status: "cancelled", durationMs: 0 });
  }

  onRetry(item: PendingItem, error: Parameters<ExecutionEvents["onRetry"]>[1], delayMs: number): void {
    const { chunk, index, attempt } = queueItemOf(item);
    this.#job.say({ type: "retry", chunk, index, attempt, error, delayMs });
  }

  onShardFailed(shard: number, cause: Parameters<ExecutionEvents["onShardFailed"]>[1]): void {
    // The run may end by it, and takes no outcomes after that.
    this.flush();
    this.#job.say({ type: "shard-failed", shard, error: toErrorRecord(cause) });
  }

  onMessage(message: Parameters<ExecutionEvents["onMessage"]>[0]): void {
    this.#job.say(message);
  }

  onWarning(message: string): void {
    this.#job.say({ type: "warning", message });
  }

  onRecycled(worker: string, why: string): void {
    this.#job.say({ type: "recycled", worker, why });
  }

  #outcomesOf(chunk: number): ChunkOutcomes {
    const outcomes = this.#collected.get(chunk) ?? { plain: [], rest: [], givenBack: [] };
    this.#collected.set(chunk, outcomes);
    return outcomes;
  }
}

/** Executions hand out the objects that they got. */
function queueItemOf(item: PendingItem): QueueItem {
  if (item instanceof QueueItem) return item;
  throw new Error(`the item ${item.key} is of no chunk of this node`);
}
