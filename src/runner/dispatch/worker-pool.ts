import { MAX_TIMER_MS, monotonicMs } from "../../base/clock.js";
import type { ErrorRecord } from "../../base/errors.js";
import { activityLayout } from "../../contracts/activity.js";
import type { BackboneSession, ProcessGuard } from "../../contracts/backbone.js";
import type { FromWorker, WorkerSetup } from "../../contracts/wire.js";
import { WorkerHandle } from "./worker-handle.js";

export interface WorkerPoolOptions {
  /** Asked anew for every worker. */
  readonly session: () => BackboneSession;
  readonly setupOf: (workerId: number) => WorkerSetup;
  /** Gets to know the children of items. */
  readonly guard: ProcessGuard;
  /** How long a worker's teardown() may take, in milliseconds. */
  readonly graceMs: number;
  onMessage(worker: WorkerHandle, message: FromWorker): void;
  /** The worker of the worker is gone, and the worker with it. `error` null: it was ended by us. */
  onLost(worker: WorkerHandle, error: ErrorRecord | null, wasStarting: boolean): void;
}

/** The workers of a run: started, held, replaced, ended. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  #handles: WorkerHandle[] = [];
  #nextId = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  get handles(): readonly WorkerHandle[] {
    return this.#handles;
  }

  /** Items that may run at once. */
  get slots(): number {
    return this.#handles.reduce((sum, worker) => sum + worker.slots, 0);
  }

  add(): void {
    const { session, setupOf, guard, onMessage } = this.#options;
    const id = this.#nextId++;
    const setup = setupOf(id);
    const activity = new SharedArrayBuffer(activityLayout.bytes(setup.concurrency));
    let worker: WorkerHandle | undefined;
    const channel = session().startWorker(
      { setup, activity },
      { onMessage: (message) => onMessage(worker!, message), onExit: (error) => this.#onExit(worker!, error) },
    );
    worker = new WorkerHandle(id, setup.concurrency, activity, channel, guard);
    this.#handles.push(worker);
  }

  #onExit(worker: WorkerHandle, error: ErrorRecord | null): void {
    if (worker.state === "gone") return;
    const wasStarting = worker.state === "starting";
    worker.state = "gone";
    worker.killChildren();
    clearTimeout(worker.closing);
    this.#handles = this.#handles.filter((other) => other !== worker);
    this.#options.onLost(worker, error, wasStarting);
  }

  /** It takes nothing new, and gives back what it has not begun. */
  hold(worker: WorkerHandle): void {
    if (worker.state === "held" || worker.state === "gone") return;
    worker.state = "held";
    worker.heldSinceMs = monotonicMs();
    worker.channel.send({ type: "hold" });
  }

  holdAll(): void {
    for (const worker of this.#handles) this.hold(worker);
  }

  /** It starts nothing more by itself, so it need not be held; what it was sent meanwhile it gives back. */
  wornOut(worker: WorkerHandle): void {
    worker.worn = true;
    if (worker.takesItems) worker.state = "held";
    worker.heldSinceMs = monotonicMs();
  }

  /** All are replaced, each when it is through with what it has begun. */
  renewAll(): void {
    for (const worker of this.#handles) {
      worker.worn = true;
      this.hold(worker);
    }
  }

  /** A worker that takes nothing new and has nothing left goes; its worker is filled again when it has. */
  relieve(): void {
    for (const worker of this.#handles) {
      if (worker.state !== "held" || worker.inFlight.size > 0) continue;
      if (worker.worn) this.#retire(worker);
      else worker.channel.kill();
    }
  }

  /** teardown() runs, within as much time as it has at the end of the run. */
  #retire(worker: WorkerHandle): void {
    if (worker.closing) return;
    worker.channel.send({ type: "close" });
    worker.closing = setTimeout(() => worker.channel.kill(), Math.min(MAX_TIMER_MS, this.#options.graceMs));
  }

  killAll(): void {
    for (const worker of this.#handles) worker.channel.kill();
  }

  /** Lets every worker tear down, which may flush and close; the last ones are ended. */
  async close(): Promise<void> {
    for (const worker of this.#handles) if (!worker.closing) worker.channel.send({ type: "close" });
    const deadline = monotonicMs() + this.#options.graceMs;
    while (this.#handles.length > 0 && monotonicMs() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
    this.killAll();
  }
}
