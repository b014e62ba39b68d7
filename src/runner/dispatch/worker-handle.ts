import { assert } from "../../base/assert.js";
import { monotonicMs } from "../../base/clock.js";
import { activityLayout } from "../../contracts/activity.js";
import type { WorkerChannel } from "../../contracts/backbone.js";
import type { ExecutorShape } from "../../contracts/wire.js";
import { InFlight, type ItemRef } from "./in-flight.js";
import type { ChunkSlice } from "./queues.js";

/**
 *   starting ──▶ ready ──▶ draining ──▶ closing ──▶ gone ──▶ replaced by a new worker
 *
 * A draining worker takes no new items: one of its items ran too long, it is recycled, or the run is draining. A closing
 * worker has no items left and runs teardown(). A worker may exit in every state.
 */
type WorkerState = "starting" | "ready" | "draining" | "closing" | "gone";

const following: Readonly<Record<WorkerState, readonly WorkerState[]>> = {
  starting: ["ready", "draining", "gone"],
  ready: ["draining", "gone"],
  draining: ["closing", "gone"],
  closing: ["gone"],
  gone: [],
};

/** An item that is running, by the worker's activity. */
export interface RunningItem {
  readonly seq: number;
  readonly key: string;
  readonly startedMs: number;
  readonly progressMs: number;
}

/** An item that was told to stop because of its time limit. */
interface TimedOut {
  readonly atMs: number;
  /** Abort messages that the worker had received by then. If the count does not rise, its event loop is blocked. */
  readonly abortsSeen: number;
  /** What becomes of it is known, though it has not settled: its failure is recorded, or it is tried again afterwards. */
  fate: "open" | "told" | "retried";
}

/** A worker as the dispatcher sees it. */
export class WorkerHandle {
  readonly id: number;
  readonly shape: ExecutorShape;
  readonly activity: Float64Array;
  readonly channel: WorkerChannel;
  readonly inFlight = new InFlight();
  /** Reserved for one suspect of a crash at a time. */
  quarantined = false;
  /** The worker was told that no more items come for now. */
  flushed = false;
  /** Why we end the worker: an item over its time limit blocks its event loop. */
  blocked = false;
  /** The worker reached a recycle limit: when empty it runs teardown() and is not killed. */
  recycled = false;
  /** It was told to call teardown() and end. */
  toldToClose = false;
  /** Its teardown() has ended. */
  hasClosed = false;
  readonly timedOut = new Map<number, TimedOut>();
  #state: WorkerState = "starting";
  #drainingSinceMs = 0;
  #given = 0;
  #chars = 0;

  constructor(id: number, shape: ExecutorShape, activity: SharedArrayBuffer, channel: WorkerChannel) {
    this.id = id;
    this.shape = shape;
    this.activity = new Float64Array(activity);
    this.channel = channel;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** The only place where the state changes. */
  enter(state: WorkerState): void {
    assert(following[this.#state].includes(state), `worker ${this.id} does not go from ${this.#state} to ${state}`);
    assert(state !== "closing" || this.inFlight.size === 0, `worker ${this.id} closes with nothing in flight`);
    this.#state = state;
    if (state === "draining") this.#drainingSinceMs = monotonicMs();
  }

  get slots(): number {
    return this.shape.slots;
  }

  get takesItems(): boolean {
    return this.#state === "ready" || this.#state === "starting";
  }

  get drainingSinceMs(): number {
    return this.#drainingSinceMs;
  }

  /** How many items were ever sent to this worker. */
  get given(): number {
    return this.#given;
  }

  /** Characters of JSON in flight. */
  get chars(): number {
    return this.#chars;
  }

  running(): RunningItem[] {
    this.channel.refreshActivity?.();
    const running: RunningItem[] = [];
    for (let slot = 0; slot < this.slots; slot++) {
      const cell = activityLayout.slot(slot);
      const seq = this.activity[cell + activityLayout.seq]!;
      const key = seq === 0 ? undefined : this.inFlight.keyOf(seq);
      if (key === undefined) continue;
      const startedMs = this.activity[cell + activityLayout.started]!;
      const progressMs = this.activity[cell + activityLayout.progress]!;
      running.push({ seq, key, startedMs, progressMs });
    }
    return running;
  }

  send(firstSeq: number, slice: ChunkSlice, keys: string): void {
    const { chunk, from, to } = slice;
    assert(this.takesItems, `worker ${this.id} takes items while it is ${this.#state}`);
    this.inFlight.add(firstSeq, slice);
    this.#given += to - from;
    for (let i = from; i < to; i++) this.#chars += chunk.sizeAt(i);
    this.flushed = false;
    const attempts = chunk.attempts(from, to);
    this.channel.send({
      type: "items",
      firstSeq,
      items: `[${chunk.itemsText(from, to)}]`,
      keys,
      ...chunk.header,
      ...(attempts ? { attempts } : {}),
    });
  }

  /** Takes an item out, whatever its outcome. Undefined: it is not in flight here. */
  take(seq: number): ItemRef | undefined {
    const ref = this.inFlight.take(seq);
    if (!ref) return undefined;
    this.#chars -= ref.chunk.sizeAt(ref.index);
    if (this.timedOut.size > 0) this.timedOut.delete(seq);
    this.channel.processes?.release(seq);
    return ref;
  }

  /** The outcome of the item is recorded, though it has not settled. */
  isTold(seq: number): boolean {
    return this.timedOut.size > 0 && this.timedOut.get(seq)?.fate === "told";
  }

  tellToStop(seq: number): void {
    this.timedOut.set(seq, {
      atMs: monotonicMs(),
      abortsSeen: this.activity[activityLayout.abortsSeen]!,
      fate: "open",
    });
    this.channel.send({ type: "abort", seq, reason: "timeout" });
  }
}
