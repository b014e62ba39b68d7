import { existsSync } from "node:fs";
import { monotonicMs } from "../../base/clock.js";
import { type ErrorRecord, KagurazakaError, timeoutRecord, toErrorRecord } from "../../base/errors.js";
import { parseJson, stringifyJson } from "../../base/exact-json.js";
import { activityLayout } from "../../contracts/activity.js";
import type { ExecutorPorts } from "../../contracts/executor.js";
import type { TaskInstance } from "../../contracts/task.js";
import type { WireOutcome } from "../../contracts/wire.js";
import type { WorkerTask } from "../program/worker-task.js";
import { ItemBinder } from "./binder.js";
import { type ContextShared, ItemContext } from "./context.js";
import { currentItem } from "./current-item.js";
import { SpawnerPool } from "./programs/pool.js";
import type { ReceivedChunk } from "./received-chunk.js";

/** The outcome of an item, without its number and duration. */
type AttemptOutcome = Omit<WireOutcome, "seq" | "durationMs">;

export interface AttemptPorts extends Pick<ExecutorPorts, "setup" | "activity" | "activityWritten" | "log"> {
  readonly processStarted?: ExecutorPorts["processStarted"];
  /** An attempt is over. `outcome` undefined: done, without a value or reason. */
  ended?(ctx: ItemContext, durationMs: number, nowMs: number, outcome: AttemptOutcome | undefined): void;
}

/** The executor's part between binding and publication: calls `process`, or waits for the batch. */
export type Work = (item: unknown, ctx: ItemContext) => unknown;

/**
 * The steps of every attempt from message to outcome, for all executors:
 *
 *   begin ─▶ isExecuted? ─▶ bind ─▶ work ─▶ verify ─▶ publish ─▶ ended
 *                  └─────────────────┴────────┴──────────┴─ fail ─▶ ended
 */
export class Attempts {
  readonly #instance: TaskInstance;
  readonly #task: WorkerTask;
  readonly #ports: AttemptPorts;
  readonly #activity: Float64Array;
  readonly #shared: ContextShared;
  readonly #binders: ItemBinder[];
  /** By slot. */
  readonly #running: (ItemContext | undefined)[] = [];
  /** The task has `isExecuted` or `verify`. */
  readonly #hasManySteps: boolean;
  readonly #hasOneSlot: boolean;
  /** By shard: whether earlier runs may have left a `keptDir`. */
  readonly #keptBefore: boolean[] = [];
  /** When the previous item ended, reused as the start of the next: reading the clock costs a tenth of a small item. */
  #justEndedMs = 0;

  constructor(task: WorkerTask, instance: TaskInstance, ports: AttemptPorts) {
    const { slots } = ports.setup.shape;
    this.#instance = instance;
    this.#task = task;
    this.#ports = ports;
    this.#activity = new Float64Array(ports.activity);
    this.#shared = { ...ports, task, activity: this.#activity, spawners: new SpawnerPool(ports) };
    this.#hasOneSlot = slots === 1;
    this.#hasManySteps = typeof (instance.isExecuted ?? instance.verify) === "function";
    this.#binders = Array.from({ length: slots }, (_, slot) => new ItemBinder(task, ports.setup, slot));
  }

  /** An attempt begins: the coordinator now sees the item running in the slot. */
  begin(slot: number, chunk: ReceivedChunk, index: number): ItemContext {
    const ctx = new ItemContext(this.#shared, { slot, chunk, index });
    const cell = activityLayout.slot(slot);
    ctx.startedMs = this.#justEndedMs || monotonicMs();
    this.#activity[cell + activityLayout.started] = ctx.startedMs;
    this.#activity[cell + activityLayout.seq] = ctx.seq;
    this.#ports.activityWritten?.(cell, 2);
    this.#running[slot] = ctx;
    return ctx;
  }

  /** Creates no promise when the work returns a plain value: for a small item a promise is most of the cost. */
  run(ctx: ItemContext, work: Work): Promise<void> | undefined {
    if (!this.#hasOneSlot) return currentItem.storage.run(ctx, () => this.#attempt(ctx, work));
    currentItem.only = ctx;
    return this.#attempt(ctx, work);
  }

  /** Fires the signal of an item that is running here. */
  abort(seq: number, reason: "timeout" | "cancelled"): void {
    this.#running.find((ctx) => ctx?.seq === seq)?.abort(reason);
  }

  /** The slot is idle: its next item does not start when the previous one ended. */
  rest(slot: number): void {
    this.#justEndedMs = 0;
    this.#ports.activityWritten?.(activityLayout.slot(slot) + activityLayout.seq, 1);
  }

  close(): void {
    this.#shared.spawners.close();
  }

  /**
   * Asks the task about an item that may be finished, with its outputs at their final paths. Processes, publishes and reports
   * nothing. Rejects with the error that the task throws. The caller must call `release` afterwards.
   * @returns what `isExecuted` returned, where `asksTask`; `verify` is called unless that was false
   */
  async inspect(ctx: ItemContext, asksTask: boolean): Promise<boolean | undefined> {
    const item = this.#binderOf(ctx).bindForCheck(ctx.wire, ctx);
    const isExecuted = asksTask ? Boolean(await this.#instance.isExecuted!(item, ctx)) : undefined;
    if (isExecuted !== false) await this.#instance.verify?.(item, ctx);
    return isExecuted;
  }

  /** Ends the processes of an inspected item that has settled or is no longer waited for. */
  release(ctx: ItemContext): void {
    ctx.end(true);
    this.#running[ctx.slot] = undefined;
  }

  #attempt(ctx: ItemContext, work: Work): Promise<void> | undefined {
    if (this.#hasManySteps) return this.#attemptSteps(ctx, work);
    let value: unknown;
    try {
      value = work(this.#binderOf(ctx).bind(ctx.wire, ctx), ctx);
      // Inside the try: a getter of the returned value may throw too.
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

  /** The work has finished: publishes the outputs, unless the item was filtered. */
  #finish(ctx: ItemContext, value: unknown): void {
    // Its failure is told as soon as its time is up: what it made must not be published.
    if (this.#isLate(ctx)) return this.#fail(ctx);
    let outcome: AttemptOutcome | undefined;
    try {
      outcome = this.#publish(ctx, value);
    } catch (thrown) {
      return this.#fail(ctx, thrown);
    }
    this.#end(ctx, outcome);
  }

  #publish(ctx: ItemContext, value: unknown): AttemptOutcome | undefined {
    const binder = this.#binderOf(ctx);
    if (ctx.filteredReason !== undefined) {
      binder.discard();
      return { status: "filtered", reason: ctx.filteredReason, ...(ctx.amounts && { amounts: ctx.amounts }) };
    }
    const wanted = this.#ports.setup.wantValues && value !== undefined ? checkedValue(value) : undefined;
    binder.publish();
    if (wanted === undefined && ctx.amounts === undefined) return undefined;
    return {
      status: "done",
      ...(wanted !== undefined && { value: wanted }),
      ...(ctx.amounts && { amounts: ctx.amounts }),
    };
  }

  /** @param thrown undefined: nothing, but the item has ended too late */
  #fail(ctx: ItemContext, thrown?: unknown): void {
    const binder = this.#binderOf(ctx);
    const obstacle = binder.obstacle(thrown);
    try {
      binder.discard();
    } catch {
      // The item's error tells more than the error of the clean-up.
    }
    const { timeoutMs } = this.#ports.setup;
    const isLate = obstacle === undefined && this.#isLate(ctx);
    const cause = isLate && thrown === undefined ? undefined : withoutOwnFrames(toErrorRecord(obstacle ?? thrown));
    this.#end(ctx, { status: "failed", error: isLate ? timeoutRecord(timeoutMs!, cause) : cause! });
  }

  #isLate({ startedMs }: ItemContext): boolean {
    const { timeoutMs } = this.#ports.setup;
    return timeoutMs !== undefined && monotonicMs() - startedMs > timeoutMs;
  }

  /** Whether earlier runs may have left a `keptDir` in the shard. Checked once per shard. */
  #mayHaveKept(shard: number): boolean {
    this.#keptBefore[shard] ??= existsSync(this.#task.shards[shard]!.keptDir);
    return this.#keptBefore[shard];
  }

  #end(ctx: ItemContext, outcome: AttemptOutcome | undefined): void {
    ctx.end(outcome?.status !== "failed", ctx.attempt > 1 || this.#mayHaveKept(ctx.shard));
    const nowMs = monotonicMs();
    if (this.#hasOneSlot) {
      currentItem.only = null;
      this.#justEndedMs = nowMs;
    }
    this.#running[ctx.slot] = undefined;
    // Cleared before the outcome is sent: a reported item is never a suspect.
    const seqCell = activityLayout.slot(ctx.slot) + activityLayout.seq;
    this.#activity[seqCell] = 0;
    // After a synchronous item the next item or `rest` follows before any code of the task runs.
    if (ctx.awaited) this.#ports.activityWritten?.(seqCell, 1);
    this.#ports.ended?.(ctx, nowMs - ctx.startedMs, nowMs, outcome);
  }

  #binderOf(ctx: ItemContext): ItemBinder {
    return this.#binders[ctx.slot]!;
  }
}

/** The stack down to the task's own code: the frames below are the same for every failure. */
function withoutOwnFrames(record: ErrorRecord): ErrorRecord {
  const cut = record.stack?.search(/\n +at [^\n]*runner\/worker\/(?:attempt|main|executors\/)/) ?? -1;
  const cause = record.cause && withoutOwnFrames(record.cause);
  return { ...record, ...(cut < 0 ? {} : { stack: record.stack!.slice(0, cut) }), ...(cause ? { cause } : {}) };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";
}

const MAX_VALUE_CHARS = 64 * 1024 * 1024;

/** Checks that a requested result can be sent back; here the item can still fail for it. */
function checkedValue(value: unknown): unknown {
  const refuse = (why: string, cause?: unknown): never => {
    throw new KagurazakaError("not-json", `what process() returned cannot be sent back: ${why}`, { cause });
  };
  let json: string | undefined;
  try {
    json = stringifyJson(value);
  } catch (cause) {
    return refuse("it is not JSON-like", cause);
  }
  if (json === undefined) return refuse(`it is a ${typeof value}`);
  if (json.length > MAX_VALUE_CHARS)
    return refuse(`it has ${json.length} characters as JSON, the limit is ${MAX_VALUE_CHARS}`);
  return parseJson(json);
}
