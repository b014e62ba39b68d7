import { monotonicMs } from "../../base/clock.js";
import type { Chunk, ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { itemsPerWorker, MeanDuration } from "./chunk-size.js";
import { type ChunkSlice, ReadyQueue } from "./queues.js";
import { Throttle } from "./throttle.js";

const MAX_CHUNK_ITEMS = 1024;
const MAX_CHUNK_CHARS = 1024 * 1024;
/** The first items are sent one by one, so that each node gets some. */
const FIRST_ITEMS = 20;
/** Items of a lost node, in one chunk: few, so that several nodes share them. */
const MAX_ISOLATED_ITEMS = 16;

/** The limit of one item in a queue, in characters of JSON. */
const MAX_ITEM_CHARS = 64 * 1024 * 1024;
/** Such an item is alone in its slice. */
export const isTooLarge = ({ chunk, from }: ChunkSlice): boolean => chunk.sizeAt(from) > MAX_ITEM_CHARS;

/** The items that a coordinator has still to send to its fleet: the plan's, and those of lost nodes, which go first and alone. */
export class OutgoingItems {
  readonly #ready = new ReadyQueue();
  readonly #suspects = new ReadyQueue();
  readonly #mean = new MeanDuration();
  readonly #throttle: Throttle;
  readonly #chunksize: RunSettings["chunksize"];
  #settled = 0;

  constructor({ chunksize, rate }: Pick<RunSettings, "chunksize" | "rate">) {
    this.#chunksize = chunksize;
    this.#throttle = new Throttle(rate, monotonicMs());
  }

  get length(): number {
    return this.#ready.length + this.#suspects.length;
  }

  /** It is known how long items take. */
  get isMeasured(): boolean {
    return this.#settled >= FIRST_ITEMS;
  }

  push(chunk: Chunk): void {
    this.#ready.push(chunk);
  }

  /** In front of the others. @param isolated a node that had the item was lost */
  unshift(item: PendingItem, isolated: boolean): void {
    (isolated ? this.#suspects : this.#ready).unshift(item);
  }

  /** Takes out one that was lost, if it is still here. */
  remove(item: PendingItem): void {
    this.#suspects.remove(item);
  }

  settled(count: number, totalMs: number): void {
    this.#settled += count;
    this.#mean.add(totalMs, count);
  }

  /** The next chunk; undefined where none may be sent now. @param nodes how many nodes there are */
  take(nodes: number): { readonly slice: ChunkSlice; readonly isolated: boolean } | undefined {
    const suspects = this.#suspects.take(MAX_ISOLATED_ITEMS, MAX_CHUNK_CHARS);
    if (suspects) return { slice: suspects, isolated: true };
    const most = Math.min(this.#chunkItems(), this.#mayStart(nodes));
    const slice = most < 1 ? undefined : this.#ready.take(most, MAX_CHUNK_CHARS);
    if (!slice) return undefined;
    this.#throttle.started(slice.to - slice.from);
    return { slice, isolated: false };
  }

  /** When `--rate` lets one more item start, in milliseconds from now; undefined where nothing waits for that. */
  waitMs(nodes: number): number | undefined {
    if (!this.#throttle.isActive || nodes === 0 || this.#ready.length === 0) return undefined;
    const now = monotonicMs();
    return Math.max(1, Math.ceil(this.#throttle.nextMs(now) - now));
  }

  /** Takes out all items with these headers. */
  drain(wanted: (header: ChunkHeader) => boolean): PendingItem[] {
    return [...this.#suspects.drain(wanted), ...this.#ready.drain(wanted)];
  }

  #chunkItems(): number {
    if (this.#chunksize !== "auto") return this.#chunksize;
    return Math.min(this.isMeasured ? itemsPerWorker(this.#mean.ms, 1) : 1, MAX_CHUNK_ITEMS);
  }

  /** `--rate`: items are sent as they may start, and only while a node is there, so that none are saved up. */
  #mayStart(nodes: number): number {
    if (!this.#throttle.isActive) return Number.POSITIVE_INFINITY;
    return nodes === 0 ? 0 : this.#throttle.allowance(monotonicMs());
  }
}
