import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type ErrorRecord,
  killGroup,
  type OpenItemProcesses,
  openItemProcesses,
  toErrorRecord,
  type WorkerChannel,
  type WorkerEvents,
  type WorkerStart,
} from "../../src/kit.js";
import { ActivityFile } from "./activity-file.js";
import { type ChildBoot, type FromChild, MESSAGES_FD } from "./child-messages.js";
import { pinTo } from "./cpu-affinity.js";
import { deathRecord, LastWords } from "./death.js";
import { readFrames } from "./frames.js";
import { heapMegabytes, type MpRequest } from "./workers-request.js";

const CHILD = fileURLToPath(new URL("./child.js", import.meta.url));
const DRAIN_WITHIN_MS = 500;
/** A program that the task has started may keep stdout open for longer than the worker lives. */
const PRINTS_WITHIN_MS = 50;

/**
 * One process, from its fork to its end.
 *
 *   idle ──start()──▶ working ──▶ gone
 *
 * It leads a process group and a session of its own: Ctrl-C in a terminal does not reach it, and killing the group kills the
 * processes that the task starts in it.
 */
export class WorkerProcess {
  /** Resolves when the process has ended and all of its messages were passed on. */
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;
  readonly #request: MpRequest;
  readonly #activityFile = new ActivityFile();
  readonly #lastWords = new LastWords();
  readonly #processes: OpenItemProcesses;
  #cpu: number | undefined;
  #events: WorkerEvents | undefined;
  #state: "idle" | "working" | "gone" = "idle";
  #killed = false;
  #over = false;
  #error: ErrorRecord | undefined;

  constructor(request: MpRequest) {
    this.#request = request;
    this.#processes = openItemProcesses(request.guard);
    this.#child = forkChild(request, this.#activityFile.fd);
    if (this.#child.pid !== undefined) request.guard.add(this.#child.pid);
    this.#keepAlive(false);
    this.gone = this.#watch();
  }

  get isIdle(): boolean {
    return this.#state === "idle" && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  start({ setup, site, activity }: WorkerStart, events: WorkerEvents): WorkerChannel {
    this.#state = "working";
    this.#events = events;
    // Without a pid, the fork has failed, and `#watch` is about to report it.
    if (this.#child.pid !== undefined) this.#begin(this.#child.pid);
    const send = (message: object): void => {
      // Messages to a dead process are dropped: after `onExit`, the runner takes their items back.
      if (this.#child.connected) this.#child.send(message, () => {});
    };
    send({ setup, site, activityBytes: activity.byteLength } satisfies ChildBoot);
    return {
      send,
      kill: () => this.kill(),
      refreshActivity: () => this.#activityFile.readInto(activity),
      processes: this.#processes,
    };
  }

  #begin(pid: number): void {
    // Not at the fork: the worker that this one replaces may still use the processor.
    this.#cpu = this.#request.cpus?.take();
    if (this.#cpu !== undefined)
      pinTo(this.#cpu, { pid }, (message) => this.#onMessage({ type: "log", key: "", level: "warn", message }));
    readFrames(this.#stream(MESSAGES_FD), (message) => this.#onMessage(message as FromChild));
    // Prints of JavaScript come as messages. The streams carry those of native code and of programs that inherit them.
    const text = (fd: number): Readable => this.#stream(fd).setEncoding("utf8");
    text(1).on("data", (piece: string) => this.#onText(piece));
    text(2).on("data", (piece: string) => this.#onText(this.#lastWords.take(piece)));
  }

  /** Where no item is in flight, a worker does not keep this process alive: it may wait for something that never happens. */
  #keepAlive(wanted: boolean): void {
    const how = wanted ? "ref" : "unref";
    this.#child[how]();
    this.#child.channel?.[how]();
    for (const stream of this.#child.stdio) (stream as Socket | null)?.[how]();
  }

  kill(): void {
    this.#killed = true;
    this.#keepAlive(true);
    if (this.#state !== "gone") killGroup(this.#child.pid);
  }

  #stream(fd: number): Readable {
    return this.#child.stdio[fd] as Readable;
  }

  #onMessage(message: FromChild): void {
    if (this.#state === "gone") return;
    if (message.type === "process") this.#processes.add(message.seq, message.leaderPid);
    else if (message.type === "over") this.#over = true;
    else if (message.type === "died") this.#error = message.error;
    else this.#events!.onMessage(message);
  }

  #onText(text: string): void {
    if (this.#state !== "gone" && text !== "") this.#events!.onMessage({ type: "print", key: null, text });
  }

  async #watch(): Promise<void> {
    const { code, signal, failure } = await endOf(this.#child);
    const wasWorking = this.#state === "working";
    const { pid } = this.#child;
    // After a clean end, processes that the task has started may live on, as after any command.
    const crashed = signal !== null || code !== 0;
    if (crashed) killGroup(pid);
    if (wasWorking && pid !== undefined) await this.#drained();
    if (!crashed && !this.#over) killGroup(pid);
    if (pid !== undefined) this.#request.guard.remove(pid);
    this.#state = "gone";
    if (this.#cpu !== undefined) this.#request.cpus!.giveBack(this.#cpu);
    if (wasWorking) {
      const wanted = this.#killed || this.#over;
      const error = failure ? toErrorRecord(failure) : (this.#error ?? deathRecord(code, signal, this.#lastWords));
      this.#events!.onExit(wanted ? { kind: "ended" } : { kind: "crashed", error });
    }
    // Not before `onExit`: the activity of a dead worker tells which items were running.
    this.#activityFile[Symbol.dispose]();
  }

  async #drained(): Promise<void> {
    const closed = (fd: number, withinMs: number): Promise<unknown> => {
      const stream = this.#stream(fd);
      const end = stream.closed || new Promise((resolve) => stream.once("close", resolve));
      return Promise.race([end, delay(withinMs, undefined, { ref: false })]);
    };
    await closed(MESSAGES_FD, DRAIN_WITHIN_MS);
    await Promise.all([closed(1, PRINTS_WITHIN_MS), closed(2, PRINTS_WITHIN_MS)]);
  }
}

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why the process could not be started. */
  readonly failure?: Error;
}

const endOf = (child: ChildProcess): Promise<End> =>
  new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    // A running process emits "error" where it cannot be written to any more: it is about to end.
    child.on("error", (failure) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, failure });
    });
  });

function forkChild({ entry, run, owner, workers, maxHeapBytes }: MpRequest, activityFd: number): ChildProcess {
  return fork(CHILD, [entry], {
    serialization: "advanced",
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc", activityFd, "pipe"],
    execArgv: [
      // The debugger's port is in use by this process.
      ...process.execArgv.filter((word) => !word.startsWith("--inspect")),
      // Node keeps source maps only if they are enabled before the task loads.
      "--enable-source-maps",
      ...(maxHeapBytes === undefined ? [] : [`--max-old-space-size=${heapMegabytes(maxHeapBytes)}`]),
    ],
    env: { ...process.env, KAGURAZAKA_RUN: run, KAGURAZAKA_OWNER: owner, ...threadPoolOf(workers) },
  });
}

/** UV_THREADPOOL_SIZE of this process counts for all workers together, so each gets its share. Node's default is 4. */
function threadPoolOf(workers: number): { UV_THREADPOOL_SIZE?: string } {
  const all = Number(process.env.UV_THREADPOOL_SIZE);
  return all > 0 ? { UV_THREADPOOL_SIZE: `${Math.max(4, Math.ceil(all / workers))}` } : {};
}
