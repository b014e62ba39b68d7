import { readlinkSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { MessageChannel, type MessagePort, threadId } from "node:worker_threads";
import {
  type BackboneSession,
  type FromWorker,
  type ToWorker,
  threadStack,
  toErrorRecord,
  type WorkerMain,
  type WorkerSetup,
} from "../../src/kit.js";
import { pinTo } from "./cpu-affinity.js";
import { heapMegabytes, type WorkersRequest } from "./workers-request.js";

const DRAIN_WITHIN_MS = 500;

interface ThreadBoot {
  readonly entry: string;
  readonly port: MessagePort;
  readonly setup: WorkerSetup;
  readonly activity: SharedArrayBuffer;
  /** It is to be pinned to a processor. */
  readonly pinned: boolean;
}

interface ThreadHello {
  readonly type: "thread";
  readonly threadId: number;
  /** The operating system's name for the thread, where it is asked for. */
  readonly tid: number | undefined;
}

/**
 * One thread per worker, kept by a piscina pool. Each thread runs a single pool task for as long as the run lasts and talks
 * over a port of its own; per-item pool tasks would cost 25 to 60 times as much.
 */
export async function openThreads({ workers, entry, maxHeapBytes, cpus }: WorkersRequest): Promise<BackboneSession> {
  const { Piscina } = await import("piscina");
  const pool = new Piscina({
    filename: import.meta.url,
    name: runInThread.name,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
    // A thread's event loop carries its messages, so it must never sleep on an atomic.
    atomics: "disabled",
    ...(maxHeapBytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes(maxHeapBytes) } }),
  });
  // A thread may throw once more after its task has settled (a timer of the user's): nobody waits for that any longer.
  pool.on("error", () => {});
  return {
    startWorker({ setup, activity }, events) {
      const { port1, port2 } = new MessageChannel();
      const killer = new AbortController();
      // The port closes when the thread is gone and its last message was read: outcomes never come after the exit.
      const drained = new Promise<void>((resolve) => port1.once("close", resolve));
      const cpu = cpus?.take();
      let worker = 0;
      let worn = false;
      const greet = (hello: ThreadHello): void => {
        worker = hello.threadId;
        if (cpu !== undefined && hello.tid !== undefined)
          pinTo(cpu, { tid: hello.tid }, (message) =>
            events.onMessage({ type: "log", key: "", level: "warn", message }),
          );
      };
      port1.on("message", (message: FromWorker | ThreadHello) => {
        if (message.type === "thread") return greet(message);
        events.onMessage(message);
        // The pool would give the same thread to the next worker, with all that has piled up in it.
        if (message.type === "worn") worn = true;
        if (message.type === "closed" && worn) killer.abort();
      });
      const exit = async (error: unknown): Promise<void> => {
        await Promise.race([drained, delay(DRAIN_WITHIN_MS, undefined, { ref: false })]);
        port1.close();
        if (cpu !== undefined) cpus!.giveBack(cpu);
        events.onExit(error === null ? null : toErrorRecord(error));
      };
      const boot: ThreadBoot = { entry, port: port2, setup, activity, pinned: cpu !== undefined };
      pool.run(boot, { transferList: [port2], signal: killer.signal }).then(
        () => exit(null),
        (error) => exit(killer.signal.aborted ? null : error),
      );
      return {
        send: (message: ToWorker) => port1.postMessage(message),
        kill: () => killer.abort(),
        stack: () => threadStack(worker),
      };
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

/** What piscina calls in the thread. */
export async function runInThread({ entry, port, setup, activity, pinned }: ThreadBoot): Promise<void> {
  // `PID/task/TID`, of whichever thread reads it: so not by the pool of I/O threads.
  const tid = pinned ? Number(basename(readlinkSync("/proc/thread-self"))) : undefined;
  port.postMessage({ type: "thread", threadId, tid } satisfies ThreadHello);
  // The task loads beside our own code, for both wait for the disk. What is wrong with it, `main` will meet and say; its
  // source map is only kept when maps are wanted before it loads.
  process.setSourceMapsEnabled(true);
  import(setup.task.entry).catch(() => {});
  const { default: main } = (await import(entry)) as { default: WorkerMain };
  let worn = false;
  const post = (message: FromWorker): void => {
    worn ||= message.type === "worn";
    port.postMessage(message);
  };
  await main({ port: { post, onMessage: (listener) => port.on("message", listener) }, setup, activity });
  // Worn out it waits to be ended, for what returns is used again.
  if (worn) await new Promise(() => {});
  port.close();
}
