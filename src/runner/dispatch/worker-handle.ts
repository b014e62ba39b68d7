import { killGroup } from "../../base/process-group.js";
import { activityLayout } from "../../contracts/activity.js";
import type { ProcessGuard, WorkerChannel } from "../../contracts/backbone.js";
import { InFlight, type ItemRef } from "./in-flight.js";
import type { ChunkSlice } from "./queues.js";

/** Sequence number of what belongs to no item but to the worker itself. */
const OF_THE_WORKER = 0;

/**
 * A worker as the dispatcher sees it.
 *
 *   starting → ready → (held → gone) → replaced by a new worker
 *
 * `held` takes nothing new: an item of it ran too long, or the run is draining.
 */
export class WorkerHandle {
  readonly id: number;
  readonly slots: number;
  readonly activity: Float64Array;
  readonly channel: WorkerChannel;
  readonly inFlight = new InFlight();
  state: "starting" | "ready" | "held" | "gone" = "starting";
  /** Reserved for one suspect at a time. */
  quarantined = false;
  /** How many items it was ever sent. */
  given = 0;
  /** Characters of JSON under way. */
  size = 0;
  /** Items told to stop because of their time limit → when they were told. */
  readonly timedOut = new Map<number, { atMs: number; abortsSeen: number }>();
  heldSinceMs = 0;
  /** It was ended because its loop stood still. */
  blocked = false;
  /** It has done enough: once empty it may tear down, and a fresh one takes its place. */
  worn = false;
  /** Ends it when its teardown takes too long. */
  closing: NodeJS.Timeout | undefined;
  readonly #guard: ProcessGuard;
  readonly #children = new Map<number, number[]>();

  constructor(id: number, slots: number, marks: SharedArrayBuffer, channel: WorkerChannel, guard: ProcessGuard) {
    this.id = id;
    this.slots = slots;
    this.activity = new Float64Array(marks);
    this.channel = channel;
    this.#guard = guard;
  }

  get takesItems(): boolean {
    return this.state === "ready" || this.state === "starting";
  }

  /** Items whose `process` is on the way right now, by the shared marks. */
  running(): { seq: number; startedMs: number; progressMs: number; key: string }[] {
    this.channel.refreshActivity?.();
    const running = [];
    for (let slot = 0; slot < this.slots; slot++) {
      const cell = activityLayout.slot(slot);
      const seq = this.activity[cell + activityLayout.seq]!;
      const key = seq === 0 ? undefined : this.inFlight.keyOf(seq);
      if (key === undefined) continue;
      running.push({
        seq,
        startedMs: this.activity[cell + activityLayout.started]!,
        progressMs: this.activity[cell + activityLayout.progress]!,
        key,
      });
    }
    return running;
  }

  add(firstSeq: number, slice: ChunkSlice): void {
    this.inFlight.add(firstSeq, slice);
    this.given += slice.to - slice.from;
    for (let i = slice.from; i < slice.to; i++) this.size += slice.chunk.sizeAt(i);
  }

  /** An item left this worker, whatever became of it. */
  take(seq: number): ItemRef | undefined {
    const place = this.inFlight.take(seq);
    if (!place) return undefined;
    this.size -= place.chunk.sizeAt(place.index);
    if (this.timedOut.size > 0) this.timedOut.delete(seq);
    if (this.#children.size > 0) this.#release(seq);
    return place;
  }

  addChild(seq: number, pid: number): void {
    if (seq !== OF_THE_WORKER && this.inFlight.keyOf(seq) === undefined) return killGroup(pid);
    this.#guard.add(pid);
    const pids = this.#children.get(seq);
    if (pids) pids.push(pid);
    else this.#children.set(seq, [pid]);
  }

  /** The worker has ended them with their item. */
  #release(seq: number): void {
    for (const pid of this.#children.get(seq) ?? []) this.#guard.remove(pid);
    this.#children.delete(seq);
  }

  /** A worker that is gone can no longer end the children of its items. */
  killChildren(): void {
    for (const [seq, pids] of this.#children) {
      // What is the worker's ends when it finds the worker gone, and its own children first.
      if (seq !== OF_THE_WORKER) for (const pid of pids) killGroup(pid);
      this.#release(seq);
    }
  }
}
