import { toErrorRecord } from "../../base/errors.js";
import type { Chunk, PendingItem } from "../../contracts/chunk.js";
import type { ExecutionEvents } from "../../contracts/execution.js";
import type { ChunkMessage, NodeJob, NodeOutcome } from "../../contracts/fleet.js";
import { QueueChunk, QueueItem } from "../plan/chunk-message.js";

interface ChunkOutcomes {
  readonly plain: number[];
  readonly rest: NodeOutcome[];
  readonly givenBack: number[];
}

/**
 * Connects a queue with the executions of a node: decodes chunks, collects outcomes by chunk, and sends them at the end of each
 * message from a worker. Cancelled items are given back.
 */
export class NodeEvents implements ExecutionEvents {
  readonly #job: NodeJob;
  #collected = new Map<number, ChunkOutcomes>();
  #whenSent: Promise<void> = Promise.resolve();
  /** Items decoded and not settled. */
  open = 0;
  /** Items settled. */
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
  get whenSent(): Promise<void> {
    return this.#whenSent;
  }

  onDone(chunk: Chunk, index: number, durationMs: number): void {
    if (chunk instanceof QueueChunk && chunk.attemptAt(index) === 1) {
      this.#leaves();
      this.#outcomesOf(chunk.id).plain.push(index, Math.round(durationMs * 1000) / 1000);
    } else this.onSettled(chunk.itemAt(index), { status: "done", durationMs });
  }

  onSettled(pending: PendingItem, settled: Parameters<ExecutionEvents["onSettled"]>[1]): void {
    const item = queueItemOf(pending);
    const { chunk, index, attempt } = item;
    item.isOpen = false;
    this.#leaves();
    if (settled.status === "cancelled") this.#outcomesOf(chunk).givenBack.push(index);
    else this.#outcomesOf(chunk).rest.push({ ...settled, index, attempt });
  }

  onMessageDone(onRecorded?: () => void): void {
    const all = this.#collected;
    this.#collected = new Map();
    for (const [chunk, { plain, rest, givenBack }] of all) {
      if (plain.length + rest.length > 0) this.#whenSent = this.#job.settle({ chunk, plain, rest });
      if (givenBack.length > 0) this.#job.giveBack(chunk, givenBack);
    }
    onRecorded?.();
    for (const wake of this.#waiting.splice(0)) wake();
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

  #leaves(): void {
    this.open--;
    this.settled++;
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
