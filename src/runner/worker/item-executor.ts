import { AsyncLocalStorage } from "node:async_hooks";
import { monotonicMs } from "../../base/clock.js";
import { type ErrorRecord, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import type { Executor, ExecutorPorts } from "../../contracts/executor.js";
import type { TaskInstance } from "../../contracts/task.js";
import { marksLayout, type ToWorker, unpackKeys, type WireOutcome } from "../../contracts/wire.js";
import type { TaskProgram } from "../program/task-program.js";
import { ItemBinder } from "./item-binder.js";
import { ItemContext } from "./item-context.js";

/** The items of one message. Keys are told apart when the first one is asked for. */
class Batch {
  readonly items: readonly unknown[];
  readonly firstSeq: number;
  readonly attempts: Readonly<Record<number, number>>;
  readonly #packedKeys: string;
  #keys: readonly string[] | undefined;
  next = 0;

  constructor({ items, keys, firstSeq, attempts = {} }: Extract<ToWorker, { type: "items" }>) {
    this.items = JSON.parse(items) as unknown[];
    this.firstSeq = firstSeq;
    this.attempts = attempts;
    this.#packedKeys = keys;
  }

  keyAt(index: number): string {
    this.#keys ??= unpackKeys(this.#packedKeys);
    return this.#keys[index]!;
  }
}

/** Which item of this thread is talking, for what it prints. Where only one is under way, it is that one. */
const talkingItem = new AsyncLocalStorage<ItemContext>();
let onlyItem: ItemContext | null = null;
export const keyOfTalkingItem = (): string | null => (talkingItem.getStore() ?? onlyItem)?.key ?? null;

/**
 * One `process` per item, `concurrency` at once. A slot that settles an item takes the next at once, whatever chunk it
 * came in; a slot that finds nothing goes idle until more is pushed.
 */
export class ItemExecutor implements Executor {
  readonly #instance: TaskInstance;
  readonly #ports: ExecutorPorts;
  readonly #marks: Float64Array;
  readonly #binders: ItemBinder[];
  readonly #idle: number[] = [];
  readonly #running = new Map<number, ItemContext>();
  readonly #asksTask: boolean;
  readonly #alone: boolean;
  #batches: Batch[] = [];
  #held = false;
  #whenIdle: (() => void) | undefined;

  constructor(program: TaskProgram, instance: TaskInstance, ports: ExecutorPorts) {
    this.#instance = instance;
    this.#ports = ports;
    this.#marks = new Float64Array(ports.marks);
    this.#alone = ports.setup.concurrency === 1;
    this.#asksTask = typeof instance.isExecuted === "function" && !ports.setup.force;
    this.#binders = Array.from(
      { length: ports.setup.concurrency },
      (_, slot) => new ItemBinder(program, ports.setup, slot),
    );
    for (let slot = ports.setup.concurrency - 1; slot >= 0; slot--) this.#idle.push(slot);
  }

  push(message: Extract<ToWorker, { type: "items" }>): void {
    this.#batches.push(new Batch(message));
    this.#startSlots();
  }

  abort(seq: number, reason: "timeout" | "cancelled"): void {
    this.#running.get(seq)?.abort(reason);
  }

  hold(): readonly number[] {
    this.#held = true;
    const unstarted = this.#batches.flatMap((batch) =>
      batch.items.slice(batch.next).map((_, i) => batch.firstSeq + batch.next + i),
    );
    this.#batches = [];
    return unstarted;
  }

  async close(): Promise<void> {
    if (this.#running.size > 0 || this.#batches.length > 0)
      await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    await this.#instance.teardown?.();
  }

  #startSlots(): void {
    while (this.#idle.length > 0 && this.#batches.length > 0 && !this.#held) void this.#runSlot(this.#idle.pop()!);
  }

  async #runSlot(slot: number): Promise<void> {
    for (let batch = this.#batches[0]; batch !== undefined && !this.#held; batch = this.#batches[0]) {
      const index = batch.next++;
      if (batch.next >= batch.items.length) this.#batches.shift();
      await this.#runItem(slot, batch, index);
    }
    this.#idle.push(slot);
    this.#ports.flush();
    if (this.#running.size === 0 && this.#batches.length === 0) this.#whenIdle?.();
  }

  async #runItem(slot: number, batch: Batch, index: number): Promise<void> {
    const seq = batch.firstSeq + index;
    const ctx = new ItemContext(this.#ports, this.#marks, {
      slot,
      seq,
      attempt: batch.attempts[index] ?? 1,
      keyOf: () => batch.keyAt(index),
    });
    const cell = marksLayout.slot(slot);
    this.#running.set(seq, ctx);
    const started = monotonicMs();
    this.#marks[cell + marksLayout.started] = started;
    this.#marks[cell + marksLayout.seq] = seq;
    let outcome: WireOutcome;
    if (this.#alone) {
      onlyItem = ctx;
      outcome = await this.#attempt(slot, seq, batch.items[index], ctx, started);
      onlyItem = null;
    } else {
      outcome = await talkingItem.run(ctx, () => this.#attempt(slot, seq, batch.items[index], ctx, started));
    }
    // Cleared before the outcome leaves: an item that is reported is never a suspect.
    this.#marks[cell + marksLayout.seq] = 0;
    this.#running.delete(seq);
    this.#ports.settle(outcome);
  }

  async #attempt(slot: number, seq: number, wire: unknown, ctx: ItemContext, started: number): Promise<WireOutcome> {
    const binder = this.#binders[slot]!;
    const outcome = (rest: Omit<WireOutcome, "seq" | "durationMs">): WireOutcome => ({
      seq,
      durationMs: monotonicMs() - started,
      ...rest,
    });
    try {
      if (this.#asksTask && (await this.#instance.isExecuted!(binder.bindForCheck(wire, ctx), ctx))) {
        return outcome({ status: "skipped", reason: "isExecuted" });
      }
      const item = binder.bind(wire, ctx);
      let value = this.#instance.process(item, ctx);
      if (isThenable(value)) value = await value;
      if (ctx.filteredReason !== undefined) {
        binder.discard();
        return outcome({ status: "filtered", reason: ctx.filteredReason });
      }
      if (this.#instance.verify) await this.#instance.verify(item, ctx);
      binder.publish();
      return this.#ports.setup.wantValues && value !== undefined
        ? outcome({ status: "done", value: checkedValue(value) })
        : outcome({ status: "done" });
    } catch (thrown) {
      try {
        binder.discard();
      } catch {
        // What the item failed with says more than what cleaning up after it failed with.
      }
      return outcome({ status: "failed", error: withoutOwnFrames(toErrorRecord(binder.rootGone() ?? thrown)) });
    } finally {
      ctx.end();
    }
  }
}

/** The stack as far as the task's own code goes: what is below it is the same for every failure. */
function withoutOwnFrames(record: ErrorRecord): ErrorRecord {
  const cut = record.stack?.search(/\n +at [^\n]*item-executor\./) ?? -1;
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
