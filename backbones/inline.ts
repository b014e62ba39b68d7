import {
  defineBackbone,
  openItemProcesses,
  type ToWorker,
  toErrorRecord,
  type WorkerExit,
  type WorkerMain,
} from "../src/kit.js";

/**
 * Executes in this thread. Slow and plain on purpose: the referee the other backbones are judged by, and the one to debug
 * with. A loop that blocks cannot be stopped here.
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
        main({ ...start, port }).then(
          () => exit({ kind: "ended" }),
          (error) => exit({ kind: "crashed", error: toErrorRecord(error) }),
        );
        return {
          send: (message) => {
            // In a turn of its own, as a message would be: the sender never finds itself inside the worker's code.
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
