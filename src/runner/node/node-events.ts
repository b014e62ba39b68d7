import { toErrorRecord } from "../../base/errors.js";
import type { Chunk, PendingItem } from "../../contracts/chunk.js";
import type { ExecutionEvents } from "../../contracts/execution.js";
import type { ChunkMessage, NodeJob, NodeOutcome } from "../../contracts/fleet.js";
import { decodeChunk } from "../plan/chunk-message.js";

/** An item as the queue names it: by its chunk and its index there. */
interface QueueItem {
  readonly chunk: number;
  readonly index: number;
}

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
  readonly #itemOf = new WeakMap<PendingItem, QueueItem>();
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

  decode(message: ChunkMessage): Chunk {
    const chunk = decodeChunk(message);
    for (let index = 0; index < chunk.count; index++)
      this.#itemOf.set(chunk.itemAt(index), { chunk: message.id, index });
    this.open += chunk.count;
    return chunk;
  }

  /** Resolves once the queue has all outcomes up to now. */
  get whenSent(): Promise<void> {
    return this.#whenSent;
  }

  onDone(chunk: Chunk, index: number, durationMs: number): void {
    const item = chunk.itemAt(index);
    if (item.attempt > 1) return this.onSettled(item, { status: "done", durationMs });
    const at = this.#itemOf.get(item)!;
    this.#leaves(item);
    this.#outcomesOf(at.chunk).plain.push(at.index, durationMs);
  }

  onSettled(item: PendingItem, settled: Parameters<ExecutionEvents["onSettled"]>[1]): void {
    const { chunk, index } = this.#itemOf.get(item)!;
    this.#leaves(item);
    if (settled.status === "cancelled") this.#outcomesOf(chunk).givenBack.push(index);
    else this.#outcomesOf(chunk).rest.push({ ...settled, index, attempt: item.attempt });
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
  giveBack(item: PendingItem): void {
    if (this.#itemOf.has(item)) this.onSettled(item, { status: "cancelled", durationMs: 0 });
  }

  onRetry(item: PendingItem, error: Parameters<ExecutionEvents["onRetry"]>[1], delayMs: number): void {
    this.#job.say({ type: "retry", ...this.#itemOf.get(item)!, attempt: item.attempt, error, delayMs });
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

  #leaves(item: PendingItem): void {
    this.#itemOf.delete(item);
    this.open--;
    this.settled++;
  }

  #outcomesOf(chunk: number): ChunkOutcomes {
    const outcomes = this.#collected.get(chunk) ?? { plain: [], rest: [], givenBack: [] };
    this.#collected.set(chunk, outcomes);
    return outcomes;
  }
}
