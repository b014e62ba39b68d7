import { existsSync } from "node:fs";
import { monotonicMs } from "../../base/clock.js";
import { type ErrorRecord, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { activityLayout } from "../../contracts/activity.js";
import type { ExecutorPorts } from "../../contracts/executor.js";
import type { TaskInstance } from "../../contracts/task.js";
import type { WireOutcome } from "../../contracts/wire.js";
import type { WorkerTask } from "../program/worker-task.js";
import { ItemBinder } from "./binder.js";
import { ItemContext } from "./context.js";
import { currentItem } from "./current-item.js";
import { SpawnerPool } from "./programs/pool.js";
import type { ReceivedChunk } from "./received-chunk.js";

/** What an item has to say besides which one it is and how long it took. */
type Said = Omit<WireOutcome, "seq" | "durationMs">;

export interface AttemptPorts extends Pick<ExecutorPorts, "setup" | "activity" | "activityWritten" | "log"> {
  readonly processStarted?: ExecutorPorts["processStarted"];
  /** An attempt is over. `outcome` undefined: done, with nothing to add. */
  ended?(ctx: ItemContext, durationMs: number, nowMs: number, outcome: Said | undefined): void;
}

/** What an executor does with an item, between binding and publication: calls `process`, or waits for its batch. */
export type Work = (item: unknown, ctx: ItemContext) => unknown;

/**
 * The only way of an item from wire to outcome, whatever executes it:
 *
 *   begin ─▶ isExecuted? ─▶ bind ─▶ work ─▶ verify ─▶ publish ─▶ ended
 *                  └─────────────────┴────────┴──────────┴─ fail ─▶ ended
 */
export class Attempts {
  readonly #instance: TaskInstance;
  readonly #task: WorkerTask;
  readonly #ports: AttemptPorts;
  readonly #activity: Float64Array;
  readonly #binders: ItemBinder[];
  readonly #spawners: SpawnerPool;
  /** By slot. */
  readonly #running: (ItemContext | undefined)[] = [];
  /** `isExecuted` or `verify` has a say besides the work. */
  readonly #hasManySteps: boolean;
  readonly #hasOneSlot: boolean;
  /** By shard: something of earlier runs may be kept. */
  readonly #keptBefore: boolean[] = [];
  /** When the item before ended, for the next one to begin with: looking at the clock costs a tenth of a small item. */
  #justEndedMs = 0;

  constructor(task: WorkerTask, instance: TaskInstance, ports: AttemptPorts) {
    const { slots } = ports.setup.shape;
    this.#instance = instance;
    this.#task = task;
    this.#ports = ports;
    this.#activity = new Float64Array(ports.activity);
    this.#spawners = new SpawnerPool(ports);
    this.#hasOneSlot = slots === 1;
    this.#hasManySteps = typeof (instance.isExecuted ?? instance.verify) === "function";
    this.#binders = Array.from({ length: slots }, (_, slot) => new ItemBinder(task, ports.setup, slot));
  }

  /** A try begins: from now on the coordinator sees the item running in the slot. */
  begin(slot: number, chunk: ReceivedChunk, index: number): ItemContext {
    const ctx = new ItemContext(this.#ports, {
      task: this.#task,
      activity: this.#activity,
      slot,
      chunk,
      index,
      spawners: this.#spawners,
    });
    const cell = activityLayout.slot(slot);
    ctx.startedMs = this.#justEndedMs || monotonicMs();
    this.#activity[cell + activityLayout.started] = ctx.startedMs;
    this.#activity[cell + activityLayout.seq] = ctx.seq;
    this.#ports.activityWritten?.(cell, 2);
    this.#running[slot] = ctx;
    return ctx;
  }

  /** Without a promise where the work answers at once: for a small item a promise would be most of the cost. */
  run(ctx: ItemContext, work: Work): Promise<void> | undefined {
    if (!this.#hasOneSlot) return currentItem.storage.run(ctx, () => this.#attempt(ctx, work));
    currentItem.only = ctx;
    return this.#attempt(ctx, work);
  }

  /** Fires the signal of an item that is running here. */
  abort(seq: number, reason: "timeout" | "cancelled"): void {
    this.#running.find((ctx) => ctx?.seq === seq)?.abort(reason);
  }

  /** The slot has nothing to do: the next item in it does not begin where this one ended. */
  rest(slot: number): void {
    this.#justEndedMs = 0;
    this.#ports.activityWritten?.(activityLayout.slot(slot) + activityLayout.seq, 1);
  }

  close(): void {
    this.#spawners.close();
  }

  /**
   * Asks the task about an item that may be finished, with its outputs at their final places: nothing is processed, published
   * or said. Rejects with what the task throws.
   * @returns what `isExecuted` said, where `asksTask`; `verify` is asked unless that was no
   */
  async inspect(ctx: ItemContext, asksTask: boolean): Promise<boolean | undefined> {
    try {
      const item = this.#binderOf(ctx).bindForCheck(ctx.wire, ctx);
      const isExecuted = asksTask ? Boolean(await this.#instance.isExecuted!(item, ctx)) : undefined;
      if (isExecuted !== false) await this.#instance.verify?.(item, ctx);
      return isExecuted;
    } finally {
      ctx.end(true);
      this.#running[ctx.slot] = undefined;
    }
  }

  #attempt(ctx: ItemContext, work: Work): Promise<void> | undefined {
    if (this.#hasManySteps) return this.#attemptSteps(ctx, work);
    let value: unknown;
    try {
      value = work(this.#binderOf(ctx).bind(ctx.wire, ctx), ctx);
      // Inside, for looking at what was returned can throw as well.
      if (isThenable(value)) return this.#await(ctx, value);
    } catch (thrown) {
      this.#fail(ctx, thrown);
      return undefined;
    }
    this.#finish(ctx, value);
    return undefined;
  }

  async #await(ctx: ItemContext, promise: PromiseLike<unknown>): Promise<void> {
    ctx.awaited = true;
    let value: unknown;
    try {
      value = await promise;
    } catch (thrown) {
      return this.#fail(ctx, thrown);
    }
    this.#finish(ctx, value);
  }

  async #attemptSteps(ctx: ItemContext, work: Work): Promise<void> {
    ctx.awaited = true;
    const binder = this.#binderOf(ctx);
    let value: unknown;
    try {
      if (!ctx.forced && (await this.#instance.isExecuted?.(binder.bindForCheck(ctx.wire, ctx), ctx)))
        return this.#end(ctx, { status: "skipped", reason: "isExecuted" });
      const item = binder.bind(ctx.wire, ctx);
      value = await work(item, ctx);
      if (ctx.filteredReason === undefined) await this.#instance.verify?.(item, ctx);
    } catch (thrown) {
      return this.#fail(ctx, thrown);
    }
    this.#finish(ctx, value);
  }

  /** The work is through: its outputs are published, unless there was nothing to do. */
  #finish(ctx: ItemContext, value: unknown): void {
    let outcome: Said | undefined;
    try {
      outcome = this.#publish(ctx, value);
    } catch (thrown) {
      return this.#fail(ctx, thrown);
    }
    this.#end(ctx, outcome);
  }

  #publish(ctx: ItemContext, value: unknown): Said | undefined {
    const binder = this.#binderOf(ctx);
    if (ctx.filteredReason !== undefined) {
      binder.discard();
      return { status: "filtered", reason: ctx.filteredReason };
    }
    const wanted = this.#ports.setup.wantValues && value !== undefined ? checkedValue(value) : undefined;
    binder.publish();
    return wanted === undefined ? undefined : { status: "done", value: wanted };
  }

  #fail(ctx: ItemContext, thrown: unknown): void {
    const binder = this.#binderOf(ctx);
    const failure = binder.obstacle(thrown) ?? thrown;
    try {
      binder.discard();
    } catch {
      // What the item failed with says more than what cleaning up after it failed with.
    }
    this.#end(ctx, { status: "failed", error: withoutOwnFrames(toErrorRecord(failure)) });
  }

  /** Whether earlier runs may have kept something in the shard. Looked up once: what this run keeps is found by later attempts. */
  #mayHaveKept(shard: number): boolean {
    this.#keptBefore[shard] ??= existsSync(this.#task.shards[shard]!.keptDir);
    return this.#keptBefore[shard];
  }

  #end(ctx: ItemContext, outcome: Said | undefined): void {
    ctx.end(outcome?.status !== "failed", ctx.attempt > 1 || this.#mayHaveKept(ctx.shard));
    const nowMs = monotonicMs();
    if (this.#hasOneSlot) {
      currentItem.only = null;
      this.#justEndedMs = nowMs;
    }
    this.#running[ctx.slot] = undefined;
    // Cleared before the outcome leaves: an item that is reported is never a suspect.
    const seqCell = activityLayout.slot(ctx.slot) + activityLayout.seq;
    this.#activity[seqCell] = 0;
    // One that answers at once is followed by the next, or by the slot's rest, before any code of the task runs again.
    if (ctx.awaited) this.#ports.activityWritten?.(seqCell, 1);
    this.#ports.ended?.(ctx, nowMs - ctx.startedMs, nowMs, outcome);
  }

  #binderOf(ctx: ItemContext): ItemBinder {
    return this.#binders[ctx.slot]!;
  }
}

/** The stack as far as the task's own code goes: what is below it is the same for every failure. */
function withoutOwnFrames(record: ErrorRecord): ErrorRecord {
  const cut = record.stack?.search(/\n +at [^\n]*runner\/worker\/(?:attempt|main|executors\/)/) ?? -1;
  const cause = record.cause && withoutOwnFrames(record.cause);
  return { ...record, ...(cut < 0 ? {} : { stack: record.stack!.slice(0, cut) }), ...(cause ? { cause } : {}) };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";
}

const MAX_VALUE_CHARS = 64 * 1024 * 1024;

/** A result that is wanted has to survive the way back; checked here, where the item can still fail for it. */
function checkedValue(value: unknown): unknown {
  const refuse = (why: string, cause?: unknown): never => {
    throw new KagurazakaError("not-json", `what process() returned cannot be sent back: ${why}`, { cause });
  };
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    return refuse("it is not JSON-like", cause);
  }
  if (json === undefined) return refuse(`it is a ${typeof value}`);
  if (json.length > MAX_VALUE_CHARS)
    return refuse(`it has ${json.length} characters as JSON, the limit is ${MAX_VALUE_CHARS}`);
  return JSON.parse(json);
}
