import { MAX_TIMER_MS, monotonicMs } from "../../base/clock.js";
import { activityLayout } from "../../contracts/activity.js";
import type { WorkerExit, WorkerSession } from "../../contracts/backbone.js";
import type { ExecutorShape, FromWorker, WorkerSetup, WorkerSite } from "../../contracts/wire.js";
import { WorkerHandle } from "./worker-handle.js";

export interface WorkerPoolOptions {
  /** Called for each new worker. */
  readonly session: () => WorkerSession;
  readonly setup: Omit<WorkerSetup, "worker" | "shape">;
  readonly site: WorkerSite;
  /** Prefix of a worker's name, when other machines have workers of the same run. */
  readonly namePrefix?: string | undefined;
  /** How long a worker's teardown() may take, in milliseconds. */
  readonly graceMs: number;
  onMessage(worker: WorkerHandle, message: FromWorker): void;
  /** The worker has exited and left the pool. `wasStarting`: it exited before it was ready. */
  onExit(worker: WorkerHandle, exit: WorkerExit, wasStarting: boolean): void;
}

/** The workers of an execution: started, drained, replaced, ended. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #closing = new Map<WorkerHandle, NodeJS.Timeout>();
  #workers: WorkerHandle[] = [];
  #nextId = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  get workers(): readonly WorkerHandle[] {
    return this.#workers;
  }

  /** Items that may run at once. */
  get slots(): number {
    return this.#workers.reduce((sum, worker) => sum + worker.slots, 0);
  }

  nameOf({ id }: WorkerHandle): string {
    return `${this.#options.namePrefix ?? ""}${id}`;
  }

  add(shape: ExecutorShape): void {
    const { session, setup, site, namePrefix = "", onMessage } = this.#options;
    const id = this.#nextId++;
    const activity = new SharedArrayBuffer(activityLayout.bytes(shape.slots));
    let worker: WorkerHandle | undefined;
    const channel = session().startWorker(
      { setup: { ...setup, shape, worker: `${namePrefix}${id}` }, site, activity },
      { onMessage: (message) => onMessage(worker!, message), onExit: (exit) => this.#onExit(worker!, exit) },
    );
    worker = new WorkerHandle(id, shape, activity, channel);
    this.#workers.push(worker);
  }

  #onExit(worker: WorkerHandle, exit: WorkerExit): void {
    if (worker.state === "gone") return;
    const wasStarting = worker.state === "starting";
    worker.enter("gone");
    worker.channel.processes?.killAll();
    clearTimeout(this.#closing.get(worker));
    this.#closing.delete(worker);
    this.#workers = this.#workers.filter((other) => other !== worker);
    this.#options.onExit(worker, exit, wasStarting);
  }

  /** The worker takes no new items, and returns those that it has not started. */
  drain(worker: WorkerHandle): void {
    if (!worker.takesItems) return;
    worker.enter("draining");
    worker.channel.send({ type: "drain" });
  }

  drainAll(): void {
    for (const worker of this.#workers) this.drain(worker);
  }

  /** The worker has decided to start no more items, so it needs no message; it returns items that are still sent to it. */
  recycle(worker: WorkerHandle): void {
    worker.recycled = true;
    if (worker.takesItems) worker.enter("draining");
  }

  /** Replaces all workers, each when its started items have settled. */
  renewAll(): void {
    for (const worker of this.#workers) {
      worker.recycled = true;
      this.drain(worker);
    }
  }

  /** Ends draining workers that have no items left; each is replaced after its exit. */
  endDrained(): void {
    for (const worker of this.#workers) {
      if (worker.state !== "draining" || worker.inFlight.size > 0) continue;
      if (worker.recycled) this.#close(worker);
      else worker.channel.kill();
    }
  }

  /** Lets the worker run teardown(), with the same time limit as at the end of the run. */
  #close(worker: WorkerHandle): void {
    worker.enter("closing");
    worker.channel.send({ type: "close" });
    const graceMs = Math.min(MAX_TIMER_MS, this.#options.graceMs);
    this.#closing.set(
      worker,
      setTimeout(() => worker.channel.kill(), graceMs),
    );
  }

  killAll(): void {
    for (const worker of this.#workers) worker.channel.kill();
  }

  /** Lets every worker run teardown(); workers that exceed the time limit are killed. */
  async close(): Promise<void> {
    for (const worker of this.#workers) if (worker.state !== "closing") worker.channel.send({ type: "close" });
    const deadline = monotonicMs() + this.#options.graceMs;
    while (this.#workers.length > 0 && monotonicMs() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
    this.killAll();
  }
}
