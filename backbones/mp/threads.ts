import { readlinkSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isMainThread, MessageChannel, type MessagePort, threadId, type Worker, workerData } from "node:worker_threads";
import {
  type FromWorker,
  killChildrenOf,
  openItemProcesses,
  type ToWorker,
  threadStack,
  toErrorRecord,
  type WorkerExit,
  type WorkerMain,
  type WorkerSession,
  type WorkerStart,
} from "../../src/kit.js";
import { pinTo } from "./cpu-affinity.js";
import { heapMegabytes, type MpRequest, type MpWarmUp } from "./workers-request.js";

const DRAIN_WITHIN_MS = 500;
/** A thread that is told to end and does not: it is in a native call, perhaps waiting for a program. */
const UNBLOCK_AFTER_MS = 500;
const END_WITHIN_MS = 3000;
const BEGIN_WITHIN_MS = 2000;

/** What a thread has printed and the coordinator has not read yet, in characters. A thread with more of it waits. */
const MAX_UNREAD = 8 * 1024 * 1024;

interface ThreadBoot {
  readonly entry: string;
  readonly port: MessagePort;
  readonly start: WorkerStart;
  readonly unread: Int32Array;
}

/** The messages of threads, in addition to those of all workers. `tid`: the operating system's thread id, where there is /proc. */
type FromThread =
  | { readonly type: "thread"; readonly threadId: number; readonly tid: number | undefined }
  | { readonly type: "process"; readonly seq: number; readonly leaderPid: number };

/**
 * One thread per worker, from a piscina pool. Each thread runs a single pool task for the whole run and has a port for its
 * messages; a pool task per item would cost 25 to 60 times as much.
 */
export async function openThreads(request: MpRequest): Promise<WorkerSession> {
  const { entry, guard, cpus, warm } = request;
  // Threads beyond the first one start when they get a worker: a run of few items needs few.
  const { pool, destroy } = await ((warm instanceof WarmThreads && warm.take(request)) || openPool(request, 1, []));
  const living = new Map<Worker, LivingThread>();
  const watch = (worker: number, tid: number | undefined): Worker | undefined => {
    const thread = pool.threads.find(({ threadId }) => threadId === worker);
    if (thread === undefined) return undefined;
    // Where no item is in flight, threads do not keep the process alive: it may wait for something that never happens.
    thread.unref();
    const ended = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
    living.set(thread, { tid, ended });
    void ended.then(() => living.delete(thread));
    return thread;
  };
  /** A thread in a native call cannot be ended before that returns. Where it waits for a program, that can be killed. */
  const unblock = (thread: Worker | undefined): void => {
    const { tid } = (thread && living.get(thread)) ?? {};
    if (tid !== undefined) killChildrenOf(tid);
  };
  return {
    startWorker(start, events) {
      const { port1, port2 } = new MessageChannel();
      const killer = new AbortController();
      // The port closes when the thread is gone and its last message was read, so no outcome comes after the exit.
      const drained = new Promise<void>((resolve) => port1.once("close", resolve));
      const cpu = cpus?.take();
      const processes = openItemProcesses(guard);
      const unread = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
      let worker = 0;
      let thread: Worker | undefined;
      let isRecycled = false;
      const onThread = ({ threadId, tid }: Extract<FromThread, { type: "thread" }>): void => {
        worker = threadId;
        thread = watch(threadId, tid);
        if (cpu !== undefined && tid !== undefined)
          pinTo(cpu, { tid }, (message) => events.onMessage({ type: "log", key: "", level: "warn", message }));
      };
      port1.on("message", (message: FromWorker | FromThread) => {
        if (message.type === "thread") return onThread(message);
        if (message.type === "process") return processes.add(message.seq, message.leaderPid);
        if (isPrint(message)) {
          Atomics.sub(unread, 0, sizeOf(message));
          Atomics.notify(unread, 0);
        }
        events.onMessage(message);
        // The pool would reuse the thread, with all of its memory, for the next worker.
        if (isRecycling(message)) isRecycled = true;
        if (message.type === "closed" && isRecycled) killer.abort();
      });
      const exit = async (exit: WorkerExit): Promise<void> => {
        await Promise.race([drained, delay(DRAIN_WITHIN_MS, undefined, { ref: false })]);
        port1.close();
        if (cpu !== undefined) cpus!.giveBack(cpu);
        events.onExit(exit);
      };
      const boot: ThreadBoot = { entry, port: port2, start, unread };
      pool.run(boot, { transferList: [port2], signal: killer.signal }).then(
        () => exit({ kind: "ended" }),
        (error) => exit(killer.signal.aborted ? { kind: "ended" } : { kind: "crashed", error: toErrorRecord(error) }),
      );
      return {
        send: (message: ToWorker) => port1.postMessage(message),
        kill() {
          killer.abort();
          setTimeout(() => unblock(thread), UNBLOCK_AFTER_MS).unref();
        },
        stack: () => threadStack(worker),
        processes,
      };
    },
    blocked: () => living.size,
    async [Symbol.asyncDispose]() {
      const ended = Promise.all([destroy(), ...[...living.values()].map((thread) => thread.ended)]);
      await Promise.race([ended, delay(END_WITHIN_MS, undefined, { ref: false })]);
    },
  };
}

/** @param preload URLs of modules that each thread loads as it starts */
async function openPool({ workers, maxHeapBytes }: PoolSize, minThreads: number, preload: readonly string[]) {
  const { Piscina } = await import("piscina");
  const pool = new Piscina({
    filename: import.meta.url,
    name: runInThread.name,
    minThreads,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
    // With atomics, piscina blocks the thread's event loop, which has to receive messages.
    atomics: "disabled",
    workerData: { kagurazakaPreload: preload } satisfies ThreadData,
    ...(maxHeapBytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes(maxHeapBytes) } }),
  });
  // A thread may throw once more after its pool task has settled, e.g. in a timer of the user's. Ignored.
  pool.on("error", () => {});
  let begun = 0;
  pool.on("workerCreate", () => begun++);
  pool.on("workerDestroy", () => begun--);
  /** Node may end the whole process when a thread is ended that loads its first module: it is waited for. */
  const destroy = async (): Promise<void> => {
    const deadline = performance.now() + BEGIN_WITHIN_MS;
    while (pool.threads.length > begun && performance.now() < deadline) await delay(5);
    await pool.destroy();
  };
  return { pool, destroy };
}

type PoolSize = Pick<MpRequest, "workers" | "maxHeapBytes">;

/** Under a name of ours: the program that runs kagurazaka may be a thread itself, with data of its own. */
interface ThreadData {
  readonly kagurazakaPreload: readonly string[];
}

/** Threads that have loaded a task, before there is a run. */
export class WarmThreads implements AsyncDisposable {
  readonly #size: PoolSize;
  #pool: ReturnType<typeof openPool> | undefined;

  constructor({ entry, taskUrl, ...size }: MpWarmUp) {
    this.#size = size;
    this.#pool = openPool(size, size.workers, [entry, taskUrl]);
  }

  /** Undefined where they are not those that are wanted. */
  take({ workers, maxHeapBytes }: PoolSize): ReturnType<typeof openPool> | undefined {
    if (workers !== this.#size.workers || maxHeapBytes !== this.#size.maxHeapBytes) return undefined;
    const pool = this.#pool;
    this.#pool = undefined;
    return pool;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await (await pool)?.destroy();
  }
}

// A module that cannot be loaded is reported by `runInThread`, which loads it again.
const toLoad = isMainThread ? [] : ((workerData as Partial<ThreadData> | null)?.kagurazakaPreload ?? []);
for (const url of toLoad) import(url).catch(() => {});

interface LivingThread {
  readonly tid: number | undefined;
  readonly ended: Promise<void>;
}

type Print = Extract<FromWorker, { type: "print" | "log" }>;

const isPrint = (message: FromWorker): message is Print => message.type === "print" || message.type === "log";

/** A message costs something in itself. */
const sizeOf = (message: Print): number => 200 + (message.type === "print" ? message.text : message.message).length;

/** A loop that prints without a pause would fill the memory: nothing else slows it down. */
function waitForRoom(unread: Int32Array, size: number): void {
  for (let now = Atomics.load(unread, 0); now > MAX_UNREAD; now = Atomics.load(unread, 0)) Atomics.wait(unread, 0, now);
  Atomics.add(unread, 0, size);
}

const isRecycling = (message: FromWorker): boolean => message.type === "leaving" && message.why !== null;

/** Called by piscina in the thread. */
export async function runInThread({ entry, port, start, unread }: ThreadBoot): Promise<void> {
  const say = (message: FromThread): void => port.postMessage(message);
  say({ type: "thread", threadId, tid: ownTid() });
  // Loads the task while our code loads. `main` imports it again and reports errors. Node keeps its source map only if maps
  // are enabled before.
  process.setSourceMapsEnabled(true);
  import(start.site.taskUrl).catch(() => {});
  const { default: main } = (await import(entry)) as { default: WorkerMain };
  let isRecycled = false;
  const post = (message: FromWorker): void => {
    isRecycled ||= isRecycling(message);
    if (isPrint(message)) waitForRoom(unread, sizeOf(message));
    port.postMessage(message);
  };
  const processStarted = (seq: number, leaderPid: number): void => say({ type: "process", seq, leaderPid });
  await main({ ...start, port: { post, onMessage: (listener) => port.on("message", listener), processStarted } });
  // The pool would reuse a thread that returns: it waits until it is terminated.
  if (isRecycled) await new Promise(() => {});
  port.close();
}

/** From a link `PID/task/TID` for the thread that reads it: read synchronously, not by an I/O thread. */
function ownTid(): number | undefined {
  try {
    return Number(basename(readlinkSync("/proc/thread-self")));
  } catch {
    return undefined;
  }
}
