import type { Executor, ExecutorPorts } from "../../../contracts/executor.js";
import type { TaskInstance } from "../../../contracts/task.js";
import type { ToWorker } from "../../../contracts/wire.js";
import type { WorkerTask } from "../../program/worker-task.js";
import { type AttemptPorts, Attempts, type Work } from "../attempt.js";
import { ReceivedChunk } from "../received-chunk.js";
import { RecycleLimit } from "../recycle-limit.js";

/**
 * Calls `process` once per item, as many at once as there are slots. A slot that settles an item takes the next one at once,
 * whatever its chunk; a slot without an item is idle until more items are pushed.
 */
export class ItemExecutor implements Executor {
  readonly #ports: ExecutorPorts;
  readonly #attempts: Attempts;
  readonly #process: Work;
  readonly #idle: number[] = [];
  readonly #slots: number;
  readonly #recycle: RecycleLimit | undefined;
  #chunks: ReceivedChunk[] = [];
  #isDraining = false;
  #whenIdle: (() => void) | undefined;

  constructor(task: WorkerTask, instance: TaskInstance, ports: ExecutorPorts) {
    const { shape, recycle } = ports.setup;
    this.#ports = ports;
    this.#attempts = new Attempts(task, instance, { ...ports, ended: this.#onEnded });
    this.#process = (item, ctx) => instance.process(item, ctx);
    this.#recycle = recycle && new RecycleLimit(recycle);
    this.#slots = shape.slots;
    for (let slot = shape.slots - 1; slot >= 0; slot--) this.#idle.push(slot);
  }

  push(message: Extract<ToWorker, { type: "items" }>): void {
    this.#chunks.push(new ReceivedChunk(message));
    // These items were in transit when the worker reported that it starts no more items.
    if (this.#isDraining) return this.#leave(this.#recycle?.reached ?? null);
    while (this.#idle.length > 0 && this.#chunks.length > 0 && !this.#isDraining) void this.#runSlot(this.#idle.pop()!);
  }

  abort(seq: number, reason: "timeout" | "cancelled"): void {
    this.#attempts.abort(seq, reason);
  }

  /** This executor never waits for more items. */
  flush(): void {}

  giveBack(): void {
    this.#ports.leaving(null, this.#takeUnstarted());
  }

  drain(): void {
    this.#leave(null);
  }

  async close(): Promise<void> {
    if (this.#isBusy || this.#chunks.length > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    this.#attempts.close();
  }

  get #isBusy(): boolean {
    return this.#idle.length < this.#slots;
  }

  async #runSlot(slot: number): Promise<void> {
    for (let chunk = this.#chunks[0]; chunk !== undefined && !this.#isDraining; chunk = this.#chunks[0]) {
      const index = chunk.next++;
      if (chunk.next >= chunk.items.length) this.#chunks.shift();
      const ctx = this.#attempts.begin(slot, chunk, index);
      if (this.#recycle?.begun()) this.#leave(this.#recycle.reached!);
      const pending = this.#attempts.run(ctx, this.#process);
      if (pending !== undefined) await pending;
    }
    this.#idle.push(slot);
    this.#attempts.rest(slot);
    this.#ports.flush();
    if (!this.#isBusy && this.#chunks.length === 0) this.#whenIdle?.();
  }

  readonly #onEnded: NonNullable<AttemptPorts["ended"]> = (ctx, durationMs, nowMs, outcome) => {
    const { seq } = ctx;
    if (outcome) this.#ports.settle({ seq, durationMs, ...outcome }, nowMs);
    else if (ctx.ranPrograms) this.#ports.doneByProgram(seq, durationMs);
    else this.#ports.done(seq, durationMs, nowMs);
    if (this.#recycle?.settled(nowMs)) this.#leave(this.#recycle.reached!);
  };

  #leave(why: string | null): void {
    this.#isDraining = true;
    this.#ports.leaving(why, this.#takeUnstarted());
  }

  #takeUnstarted(): number[] {
    const unstarted = this.#chunks.flatMap((chunk) => chunk.unstarted());
    this.#chunks = [];
    return unstarted;
  }
}
