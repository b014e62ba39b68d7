import { MAX_TIMER_MS, monotonicMs } from "../../base/clock.js";
import { whenNothingIsLeft } from "../../base/settles.js";
import { shortDuration } from "../../base/text.js";
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
  /** That is where the task's code runs. */
  readonly inThisThread: boolean;
  /** How long a worker's teardown() may take, in milliseconds. */
  readonly graceMs: number;
  onMessage(worker: WorkerHandle, message: FromWorker): void;
  /** The worker has exited and left the pool. `wasStarting`: it exited before it was ready. */
  onExit(worker: WorkerHandle, exit: WorkerExit, wasStarting: boolean): void;
  /** A teardown() that did not come to its end. */
  onWarning(message: string): void;
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
    const { session, setup, site, namePrefix = "" } = this.#options;
    const id = this.#nextId++;
    const activity = new SharedArrayBuffer(activityLayout.bytes(shape.slots));
    let worker: WorkerHandle | undefined;
    const channel = session().startWorker(
      { setup: { ...setup, shape, worker: `${namePrefix}${id}` }, site, activity },
      { onMessage: (message) => this.#onMessage(worker!, message), onExit: (exit) => this.#onExit(worker!, exit) },
    );
    worker = new WorkerHandle(id, shape, activity, channel);
    this.#workers.push(worker);
  }

  #onMessage(worker: WorkerHandle, message: FromWorker): void {
    if (message.type === "closed") worker.hasClosed = true;
    this.#options.onMessage(worker, message);
  }

  #onExit(worker: WorkerHandle, exit: WorkerExit): void {
    if (worker.state === "gone") return;
    const wasStarting = worker.state === "starting";
    if (worker.toldToClose && !worker.hasClosed && exit.kind !== "ended") {
      const why = exit.kind === "crashed" ? exit.error.message : exit.why;
      this.#options.onWarning(`worker ${worker.id} ended in teardown(): ${why}`);
    }
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
    this.#tellToClose(worker);
    const graceMs = Math.min(MAX_TIMER_MS, this.#options.graceMs);
    this.#closing.set(
      worker,
      setTimeout(() => worker.channel.kill(), graceMs),
    );
  }

  #tellToClose(worker: WorkerHandle): void {
    worker.toldToClose = true;
    worker.channel.send({ type: "close" });
  }

  killAll(): void {
    for (const worker of this.#workers) worker.channel.kill();
  }

  /** Lets every worker run teardown(); workers that exceed the time limit are killed. */
  async close(): Promise<void> {
    for (const worker of this.#workers) if (worker.state !== "closing") this.#tellToClose(worker);
    const deadline = monotonicMs() + this.#options.graceMs;
    let timer: NodeJS.Timeout | undefined;
    const release = whenNothingIsLeft(() => timer?.ref());
    while (this.#workers.length > 0 && monotonicMs() < deadline)
      await new Promise((resolve) => {
        timer = setTimeout(resolve, 2);
        // Where nothing else is left, a teardown() in this thread never ends: it learns so before its time is over.
        if (this.#options.inThisThread) timer.unref();
      });
    release();
    if (this.#workers.length > 0) {
      const workers = this.#workers.length === 1 ? "1 worker" : `${this.#workers.length} workers`;
      const grace = shortDuration(this.#options.graceMs);
      this.#options.onWarning(`teardown() of ${workers} has not ended within ${grace} (--grace): not waited for`);
    }
    this.killAll();
  }
}
