import {
  defineBackbone,
  openItemProcesses,
  type ToWorker,
  toErrorRecord,
  type WorkerExit,
  type WorkerMain,
} from "../src/kit.js";

/**
 * Executes items in this thread. Plain on purpose: for debugging, and as the reference that other backbones are compared with.
 * A loop that blocks cannot be stopped here.
 */
const inline = defineBackbone({
  name: "inline",
  help: "Runs items in this thread, one after the other (or --concurrency at once). Best for debugging.",
  options: {},
  kinds: ["item"],
  killable: false,
  size: () => ({ workers: 1 }),
  async openWorkers({ entry, guard }) {
    const { default: main } = (await import(entry)) as { default: WorkerMain };
    return {
      startWorker(start, events) {
        let alive = true;
        let listener: ((message: ToWorker) => void) | undefined;
        const waiting: ToWorker[] = [];
        const processes = openItemProcesses(guard);
        const exit = (exit: WorkerExit): void => {
          if (!alive) return;
          alive = false;
          events.onExit(exit);
        };
        const port = {
          post: (message: Parameters<typeof events.onMessage>[0]): void => {
            if (alive) events.onMessage(message);
          },
          onMessage(listen: (message: ToWorker) => void): void {
            listener = listen;
            for (const message of waiting.splice(0)) listen(message);
          },
          processStarted: processes.add,
        };
        main({ ...start, port, ownProcess: false }).then(
          () => exit({ kind: "ended" }),
          (error) => exit({ kind: "crashed", error: toErrorRecord(error) }),
        );
        return {
          send: (message) => {
            // In a turn of its own, like a real message: `send` never runs the worker's code.
            setImmediate(() => (listener ? listener(message) : waiting.push(message)));
          },
          kill: () => setImmediate(() => exit({ kind: "ended" })),
          processes,
        };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});

export default inline;
