import { Worker } from "node:worker_threads";
import { monotonicMs } from "../../base/clock.js";
import { beatPath, recordPath } from "./generations.js";

/*
 * The heartbeat runs in its own thread, so that a coordinator with a busy event loop does not look dead. Its code is a string,
 * so that it does not depend on the file of this module. It stops for a generation that is no longer the highest.
 */
const CODE = `
const { parentPort } = require("node:worker_threads");
const { constants, existsSync, rmSync, writeFileSync } = require("node:fs");
const flag = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
const timers = new Map();
parentPort.on("message", ({ id, lease }) => {
  clearInterval(timers.get(id));
  timers.delete(id);
  if (!lease) return;
  let count = 0;
  const beat = () => {
    try {
      if (existsSync(lease.next) || !existsSync(lease.own)) return clearInterval(timers.get(id));
      // What has the name before is not ours: a link that was planted leads elsewhere.
      if (count === 0) rmSync(lease.beat, { force: true });
      writeFileSync(lease.beat, String(++count), { flag });
    } catch {}
  };
  timers.set(id, setInterval(beat, lease.intervalMs));
  beat();
});
`;

/** The thread for the heartbeats of all leases of a run; starts with the first one. */
export class HeartbeatThread implements AsyncDisposable {
  #thread: Worker | undefined;
  #nextId = 0;

  /** @returns a function that ends the heartbeat */
  add(lease: { dir: string; generation: number; intervalMs: number }): () => void {
    const { dir, generation, intervalMs } = lease;
    const id = this.#nextId++;
    const [beat, own, next] = [beatPath(dir, generation), recordPath(dir, generation), recordPath(dir, generation + 1)];
    this.#thread ??= startThread();
    this.#thread.postMessage({ id, lease: { beat, own, next, intervalMs } });
    return () => this.#thread?.postMessage({ id });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.terminate();
    this.#thread = undefined;
  }
}

function startThread(): Worker {
  const thread = new Worker(CODE, { eval: true, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 16 } });
  // Without a heartbeat another machine may take over; the holder notices it before its next write.
  thread.on("error", () => {});
  thread.unref();
  return thread;
}

interface BeatOptions {
  readonly dir: string;
  readonly generation: number;
  readonly intervalMs: number;
  /** The heartbeat starts after this time, so that a shorter run needs no thread. */
  readonly afterMs: number;
  /** A thread shared with other leases; by default this lease has its own. */
  readonly beats: HeartbeatThread | undefined;
}

/** The heartbeat of one lease. */
export class Beat {
  readonly #options: BeatOptions;
  readonly #thread: HeartbeatThread;
  readonly #timer: NodeJS.Timeout;
  #dueMs: number;
  #end: (() => void) | undefined;

  constructor(options: BeatOptions) {
    this.#options = options;
    this.#thread = options.beats ?? new HeartbeatThread();
    this.#dueMs = monotonicMs() + options.afterMs;
    this.#timer = setTimeout(() => this.start(), options.afterMs);
    this.#timer.unref();
  }

  /** Starts the heartbeat now, if it has not started yet. */
  start(): void {
    clearTimeout(this.#timer);
    if (this.#dueMs === Number.POSITIVE_INFINITY) return;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#end = this.#thread.add(this.#options);
  }

  /** Beats once from this thread, for an event loop too busy for its timers. */
  startIfDue(): void {
    if (monotonicMs() >= this.#dueMs) this.start();
  }

  /** Stops the heartbeat for good. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#end?.();
    if (!this.#options.beats) await this.#thread[Symbol.asyncDispose]();
  }
}
