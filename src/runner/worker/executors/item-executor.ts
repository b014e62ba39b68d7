import { existsSync } from "node:fs";
import { monotonicMs } from "../../../base/clock.js";
import { type ErrorRecord, KagurazakaError, toErrorRecord } from "../../../base/errors.js";
import { activityLayout } from "../../../contracts/activity.js";
import type { Executor, ExecutorPorts } from "../../../contracts/executor.js";
import type { TaskInstance } from "../../../contracts/task.js";
import type { ToWorker, WireOutcome } from "../../../contracts/wire.js";
import type { TaskProgram } from "../../program/task-program.js";
import { ItemBinder } from "../binder.js";
import { ItemContext } from "../context.js";
import { currentItem } from "../current-item.js";
import { SpawnerPool } from "../programs/pool.js";
import { ReceivedChunk } from "../received-chunk.js";
import { RecycleLimit } from "../recycle-limit.js";

/** What an item has to say besides which one it is and how long it took. */
type Said = Omit<WireOutcome, "seq" | "durationMs">;

/**
 * One `process` per item, `concurrency` at once. A slot that settles an item takes the next at once, whatever chunk it
 * came in; a slot that finds nothing goes idle until more is pushed.
 */
export class ItemExecutor implements Executor {
  readonly #instance: TaskInstance;
  readonly #ports: ExecutorPorts;
  readonly #activity: Float64Array;
  readonly #binders: ItemBinder[];
  readonly #spawners: SpawnerPool;
  readonly #idle: number[] = [];
  /** By slot. */
  readonly #running: (ItemContext | undefined)[] = [];
  /** `isExecuted` or `verify` has a say besides `process`. */
  readonly #manySteps: boolean;
  readonly #alone: boolean;
  /** By shard. */
  readonly #keptBefore: boolean[] = [];
  readonly #wear: RecycleLimit | undefined;
  #chunks: ReceivedChunk[] = [];
  #held = false;
  #whenIdle: (() => void) | undefined;
  /** When the item before ended, for the next one to begin with: looking at the clock costs a tenth of a small item. */
  #justEndedMs = 0;

  constructor(program: TaskProgram, instance: TaskInstance, ports: ExecutorPorts) {
    this.#instance = instance;
    this.#ports = ports;
    this.#activity = new Float64Array(ports.activity);
    this.#spawners = new SpawnerPool(ports);
    this.#alone = ports.setup.concurrency === 1;
    this.#manySteps = typeof (instance.isExecuted ?? instance.verify) === "function";
    this.#wear = ports.setup.recycle && new RecycleLimit(ports.setup.recycle);
    this.#binders = Array.from(
      { length: ports.setup.concurrency },
      (_, slot) => new ItemBinder(program, ports.setup, slot),
    );
    for (let slot = ports.setup.concurrency - 1; slot >= 0; slot--) this.#idle.push(slot);
  }

  push(message: Extract<ToWorker, { type: "items" }>): void {
    this.#chunks.push(new ReceivedChunk(message));
    // They were on their way when it was said that nothing more is started here.
    if (this.#wear?.isReached) return this.#ports.held(this.hold());
    this.#startSlots();
  }

  abort(seq: number, reason: "timeout" | "cancelled"): void {
    this.#running.find((ctx) => ctx?.seq === seq)?.abort(reason);
  }

  hold(): readonly number[] {
    this.#held = true;
    const unstarted = this.#chunks.flatMap((chunk) =>
      chunk.items.slice(chunk.next).map((_, i) => chunk.firstSeq + chunk.next + i),
    );
    this.#chunks = [];
    return unstarted;
  }

  async close(): Promise<void> {
    if (this.#busy || this.#chunks.length > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    try {
      await this.#instance.teardown?.();
    } finally {
      this.#spawners.close();
    }
  }

  get #busy(): boolean {
    return this.#idle.length < this.#binders.length;
  }

  #startSlots(): void {
    while (this.#idle.length > 0 && this.#chunks.length > 0 && !this.#held) void this.#runSlot(this.#idle.pop()!);
  }

  async #runSlot(slot: number): Promise<void> {
    for (let chunk = this.#chunks[0]; chunk !== undefined && !this.#held; chunk = this.#chunks[0]) {
      const index = chunk.next++;
      if (chunk.next >= chunk.items.length) this.#chunks.shift();
      const pending = this.#runItem(slot, chunk, index);
      if (pending !== undefined) await pending;
    }
    this.#justEndedMs = 0;
    this.#idle.push(slot);
    this.#ports.activityWritten?.(activityLayout.slot(slot) + activityLayout.seq, 1);
    this.#ports.flush();
    if (!this.#busy && this.#chunks.length === 0) this.#whenIdle?.();
  }

  #runItem(slot: number, chunk: ReceivedChunk, index: number): Promise<void> | undefined {
    const ctx = new ItemContext(this.#ports, this.#activity, { slot, chunk, index, spawners: this.#spawners });
    const cell = activityLayout.slot(slot);
    ctx.startedMs = this.#justEndedMs || monotonicMs();
    this.#activity[cell + activityLayout.started] = ctx.startedMs;
    this.#activity[cell + activityLayout.seq] = ctx.seq;
    this.#ports.activityWritten?.(cell, 2);
    this.#running[slot] = ctx;
    if (this.#wear) this.#wearOut(this.#wear.begun());
    if (!this.#alone) return currentItem.storage.run(ctx, () => this.#attempt(ctx));
    currentItem.only = ctx;
    return this.#attempt(ctx);
  }

  /** Without a promise where the task answers at once: for a small item it would be most of the cost. */
  #attempt(ctx: ItemContext): Promise<void> | undefined {
    if (this.#manySteps) return this.#attemptSteps(ctx);
    let value: unknown;
    try {
      value = this.#instance.process(this.#binderOf(ctx).bind(ctx.wire, ctx), ctx);
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

  async #attemptSteps(ctx: ItemContext): Promise<void> {
    ctx.awaited = true;
    const binder = this.#binderOf(ctx);
    let value: unknown;
    try {
      if (!ctx.forced && (await this.#instance.isExecuted?.(binder.bindForCheck(ctx.wire, ctx), ctx)))
        return this.#end(ctx, { status: "skipped", reason: "isExecuted" });
      const item = binder.bind(ctx.wire, ctx);
      value = await this.#instance.process(item, ctx);
      if (ctx.filteredReason === undefined) await this.#instance.verify?.(item, ctx);
    } catch (thrown) {
      return this.#fail(ctx, thrown);
    }
    this.#finish(ctx, value);
  }

  /** `process` is through: its outputs are published, unless there was nothing to do. */
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

  /** Whether something of runs before may be kept in the shard. Looked up once: what this run keeps is found by later attempts. */
  #mayHaveKept(shard: number): boolean {
    this.#keptBefore[shard] ??= existsSync(this.#ports.setup.keptRoots[shard]!);
    return this.#keptBefore[shard];
  }

  /** @param outcome undefined: done, with nothing to add */
  #end(ctx: ItemContext, outcome: Said | undefined): void {
    ctx.end(outcome?.status !== "failed", ctx.attempt > 1 || this.#mayHaveKept(ctx.shard));
    const nowMs = monotonicMs();
    const durationMs = nowMs - ctx.startedMs;
    if (this.#alone) {
      currentItem.only = null;
      this.#justEndedMs = nowMs;
    }
    this.#running[ctx.slot] = undefined;
    // Cleared before the outcome leaves: an item that is reported is never a suspect.
    const seqCell = activityLayout.slot(ctx.slot) + activityLayout.seq;
    this.#activity[seqCell] = 0;
    // One that answers at once is followed by the next, or by the slot's rest, before any code of the task runs again.
    if (ctx.awaited) this.#ports.activityWritten?.(seqCell, 1);
    if (outcome) this.#ports.settle({ seq: ctx.seq, durationMs, ...outcome }, nowMs);
    else if (ctx.ranPrograms) this.#ports.doneByProgram(ctx.seq, durationMs);
    else this.#ports.done(ctx.seq, durationMs, nowMs);
    if (this.#wear) this.#wearOut(this.#wear.settled(nowMs));
  }

  #wearOut(why: string | undefined): void {
    if (why === undefined) return;
    this.#ports.held(this.hold());
    this.#ports.worn(why);
  }

  #binderOf(ctx: ItemContext): ItemBinder {
    return this.#binders[ctx.slot]!;
  }
}

/** The stack as far as the task's own code goes: what is below it is the same for every failure. */
function withoutOwnFrames(record: ErrorRecord): ErrorRecord {
  const cut = record.stack?.search(/\n +at [^\n]*(?:item-executor\.|runner\/worker\/main\.)/) ?? -1;
  const cause = record.cause && withoutOwnFrames(record.cause);
  return { ...record, ...(cut < 0 ? {} : { stack: record.stack!.slice(0, cut) }), ...(cause ? { cause } : {}) };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";
}

const MAX_VALUE_BYTES = 64 * 1024 * 1024;

/** A result somebody wants has to survive the way back; said here, where the item can still fail for it. */
function checkedValue(value: unknown): unknown {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new KagurazakaError("not-json", "what process() returned cannot be sent back: it is not JSON-like", {
      cause,
    });
  }
  if (json === undefined)
    throw new KagurazakaError("not-json", `what process() returned cannot be sent back: it is a ${typeof value}`);
  if (json.length > MAX_VALUE_BYTES) {
    throw new KagurazakaError(
      "not-json",
      `what process() returned is too large to send back: ${json.length} characters, the limit is ${MAX_VALUE_BYTES}`,
    );
  }
  return JSON.parse(json);
}
