import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { MessageChannel, type MessagePort, threadId } from "node:worker_threads";
import {
  type BackboneDefinition,
  defineBackbone,
  type FromWorker,
  type ToWorker,
  threadStack,
  toErrorRecord,
  type WorkerMain,
  type WorkerSetup,
} from "../src/kit.js";

const DRAIN_WITHIN_MS = 500;

interface ThreadBoot {
  readonly entry: string;
  readonly port: MessagePort;
  readonly setup: WorkerSetup;
  readonly marks: SharedArrayBuffer;
}

interface ThreadHello {
  readonly type: "thread";
  readonly threadId: number;
}

/**
 * All cores of this machine: one thread per worker, kept by a piscina pool. Each thread runs a single pool task for as long
 * as the run lasts and talks over a port of its own; per-item pool tasks would cost 25 to 60 times as much.
 */
const mp: BackboneDefinition = defineBackbone({
  name: "mp",
  help: "Runs items on all cores of this machine, in worker threads.",
  options: {
    numProcess: {
      type: "string",
      default: "auto",
      parse: parseWorkers,
      placeholder: "N|50%|auto",
      help: "Worker threads: a number, a share of the cores, or auto = one per core.",
    },
    maxHeap: {
      type: "size",
      help: "Heap limit of each thread, e.g. 512MB. A thread over it dies and its item is tried alone. Default: Node's.",
    },
  },
  kinds: ["item"],
  killable: true,
  size: (options) => ({ workers: workersOf(options.numProcess) }),
  async open({ options, workers, entry }) {
    const { Piscina } = await import("piscina");
    const maxHeapBytes = options.maxHeap as number | undefined;
    const pool = new Piscina({
      filename: import.meta.url,
      name: runInThread.name,
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: 1,
      // A thread's event loop carries its messages, so it must never sleep on an atomic.
      atomics: "disabled",
      ...(maxHeapBytes === undefined
        ? {}
        : { resourceLimits: { maxOldGenerationSizeMb: Math.max(8, Math.floor(maxHeapBytes / 2 ** 20)) } }),
    });
    // A thread may throw once more after its task has settled (a timer of the user's): nobody waits for that any longer.
    pool.on("error", () => {});
    return {
      startWorker({ setup, marks }, events) {
        const { port1, port2 } = new MessageChannel();
        const killer = new AbortController();
        // The port closes when the thread is gone and its last message was read: outcomes never come after the exit.
        const drained = new Promise<void>((resolve) => port1.once("close", resolve));
        let worker = 0;
        port1.on("message", (message: FromWorker | ThreadHello) => {
          if (message.type === "thread") worker = message.threadId;
          else events.onMessage(message);
        });
        const exit = async (error: unknown): Promise<void> => {
          await Promise.race([drained, delay(DRAIN_WITHIN_MS)]);
          port1.close();
          events.onExit(error === null ? null : toErrorRecord(error));
        };
        const boot: ThreadBoot = { entry, port: port2, setup, marks };
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
  },
});

/** What piscina calls in the thread. */
export async function runInThread({ entry, port, setup, marks }: ThreadBoot): Promise<void> {
  port.postMessage({ type: "thread", threadId } satisfies ThreadHello);
  // The task loads beside our own code, for both wait for the disk. What is wrong with it, `main` will meet and say; its
  // source map is only kept when maps are wanted before it loads.
  process.setSourceMapsEnabled(true);
  import(setup.task.entry).catch(() => {});
  const { default: main } = (await import(entry)) as { default: WorkerMain };
  await main({
    port: { post: (message) => port.postMessage(message), onMessage: (listener) => port.on("message", listener) },
    setup,
    marks,
  });
  port.close();
}

function parseWorkers(text: string): number | string {
  if (text === "auto" || /^[1-9]\d{0,3}$/.test(text) || /^(?:[1-9]\d?|[1-9]\d\d)%$/.test(text)) return text;
  throw new Error(`a number of threads, a share like 50%, or auto`);
}

function workersOf(value: unknown): number {
  const text = String(value);
  const cores = availableParallelism();
  if (text === "auto") return cores;
  return text.endsWith("%") ? Math.max(1, Math.round((cores * Number.parseInt(text, 10)) / 100)) : Number(text);
}

export default mp;
