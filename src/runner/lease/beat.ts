import { Worker } from "node:worker_threads";
import { monotonicMs } from "../../base/clock.js";
import { beatPath, recordPath } from "./generations.js";

/*
 * The heartbeat has a thread of its own, so that a coordinator whose event loop is busy does not look dead. Its code is plain
 * text, so that it runs wherever this module was loaded from. It stops beating for a generation that is not the highest.
 */
const CODE = `
const { parentPort } = require("node:worker_threads");
const { existsSync, writeFileSync } = require("node:fs");
const timers = new Map();
parentPort.on("message", ({ id, lease }) => {
  clearInterval(timers.get(id));
  timers.delete(id);
  if (!lease) return;
  let count = 0;
  const beat = () => {
    try {
      if (existsSync(lease.next) || !existsSync(lease.own)) return clearInterval(timers.get(id));
      writeFileSync(lease.beat, String(++count));
    } catch {}
  };
  timers.set(id, setInterval(beat, lease.intervalMs));
  beat();
});
`;

/** The thread of the heartbeats of all leases of a run; it starts with the first beat. */
export class HeartbeatThread implements AsyncDisposable {
  #thread: Worker | undefined;
  #nextId = 0;

  /** @returns what ends it */
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
  // Without a heartbeat another machine may take over, which the holder notices before it writes.
  thread.on("error", () => {});
  thread.unref();
  return thread;
}

interface BeatOptions {
  readonly dir: string;
  readonly generation: number;
  readonly intervalMs: number;
  /** The heartbeat starts by itself after this time: a run that is over sooner does not pay for a thread. */
  readonly afterMs: number;
  /** A thread shared with other leases; without one, this lease has its own. */
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

  /** Starts it now, if it has not started yet. */
  start(): void {
    clearTimeout(this.#timer);
    if (this.#dueMs === Number.POSITIVE_INFINITY) return;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#end = this.#thread.add(this.#options);
  }

  /** For an event loop too busy for its timers. */
  startIfDue(): void {
    if (monotonicMs() >= this.#dueMs) this.start();
  }

  /** For good: it does not start any more. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#end?.();
    if (!this.#options.beats) await this.#thread[Symbol.asyncDispose]();
  }
}
