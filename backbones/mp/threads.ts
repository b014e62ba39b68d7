import { readlinkSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { MessageChannel, type MessagePort, threadId } from "node:worker_threads";
import {
  type FromWorker,
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
import { heapMegabytes, type MpRequest } from "./workers-request.js";

const DRAIN_WITHIN_MS = 500;

interface ThreadBoot {
  readonly entry: string;
  readonly port: MessagePort;
  readonly start: WorkerStart;
  /** The thread will be pinned to a processor. */
  readonly pinned: boolean;
}

/** The messages of threads, in addition to those of all workers. `tid`: the operating system's thread id, where `pinned`. */
type FromThread =
  | { readonly type: "thread"; readonly threadId: number; readonly tid: number | undefined }
  | { readonly type: "process"; readonly seq: number; readonly leaderPid: number };

/**
 * One thread per worker, from a piscina pool. Each thread runs a single pool task for the whole run and has a port for its
 * messages; a pool task per item would cost 25 to 60 times as much.
 */
export async function openThreads({ workers, entry, guard, maxHeapBytes, cpus }: MpRequest): Promise<WorkerSession> {
  const { Piscina } = await import("piscina");
  const pool = new Piscina({
    filename: import.meta.url,
    name: runInThread.name,
    // Others start when they get a worker: a run of few items needs few.
    minThreads: 1,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
    // With atomics, piscina blocks the thread's event loop, which has to receive messages.
    atomics: "disabled",
    ...(maxHeapBytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes(maxHeapBytes) } }),
  });
  // A thread may throw once more after its pool task has settled, e.g. in a timer of the user's. Ignored.
  pool.on("error", () => {});
  return {
    startWorker(start, events) {
      const { port1, port2 } = new MessageChannel();
      const killer = new AbortController();
      // The port closes when the thread is gone and its last message was read, so no outcome comes after the exit.
      const drained = new Promise<void>((resolve) => port1.once("close", resolve));
      const cpu = cpus?.take();
      const processes = openItemProcesses(guard);
      let worker = 0;
      let isRecycled = false;
      const onThread = ({ threadId, tid }: Extract<FromThread, { type: "thread" }>): void => {
        worker = threadId;
        if (cpu !== undefined && tid !== undefined)
          pinTo(cpu, { tid }, (message) => events.onMessage({ type: "log", key: "", level: "warn", message }));
      };
      port1.on("message", (message: FromWorker | FromThread) => {
        if (message.type === "thread") return onThread(message);
        if (message.type === "process") return processes.add(message.seq, message.leaderPid);
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
      const boot: ThreadBoot = { entry, port: port2, start, pinned: cpu !== undefined };
      pool.run(boot, { transferList: [port2], signal: killer.signal }).then(
        () => exit({ kind: "ended" }),
        (error) => exit(killer.signal.aborted ? { kind: "ended" } : { kind: "crashed", error: toErrorRecord(error) }),
      );
      return {
        send: (message: ToWorker) => port1.postMessage(message),
        kill: () => killer.abort(),
        stack: () => threadStack(worker),
        processes,
      };
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

const isRecycling = (message: FromWorker): boolean => message.type === "leaving" && message.why !== null;

/** Called by piscina in the thread. */
export async function runInThread({ entry, port, start, pinned }: ThreadBoot): Promise<void> {
  // A link `PID/task/TID` for the thread that reads it: read synchronously, not by an I/O thread.
  const tid = pinned ? Number(basename(readlinkSync("/proc/thread-self"))) : undefined;
  const say = (message: FromThread): void => port.postMessage(message);
  say({ type: "thread", threadId, tid });
  // Loads the task while our code loads. `main` imports it again and reports errors. Node keeps its source map only if maps
  // are enabled before.
  process.setSourceMapsEnabled(true);
  import(start.site.taskUrl).catch(() => {});
  const { default: main } = (await import(entry)) as { default: WorkerMain };
  let isRecycled = false;
  const post = (message: FromWorker): void => {
    isRecycled ||= isRecycling(message);
    port.postMessage(message);
  };
  const processStarted = (seq: number, leaderPid: number): void => say({ type: "process", seq, leaderPid });
  await main({ ...start, port: { post, onMessage: (listener) => port.on("message", listener), processStarted } });
  // The pool would reuse a thread that returns: it waits until it is terminated.
  if (isRecycled) await new Promise(() => {});
  port.close();
}
