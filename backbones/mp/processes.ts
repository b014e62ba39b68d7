import { setTimeout as delay } from "node:timers/promises";
import { toErrorRecord, type WorkerEvents, type WorkerSession } from "../../src/kit.js";
import { WorkerProcess } from "./worker-process.js";
import type { MpRequest } from "./workers-request.js";

const END_WITHIN_MS = 2000;

/** Forks the replacement of a recycled worker while that worker finishes its running items. */
const withSuccessor = (events: WorkerEvents, forkSpare: () => void): WorkerEvents => ({
  onMessage(message) {
    if (message.type === "leaving" && message.why !== null) forkSpare();
    events.onMessage(message);
  },
  onExit: (exit) => events.onExit(exit),
});

/** One process per worker. The first one is forked now, so that it starts while the run is being opened; others as needed. */
export function openProcesses(request: MpRequest): WorkerSession {
  const living = new Set<WorkerProcess>();
  const forkOne = (): WorkerProcess => {
    const worker = new WorkerProcess(request);
    living.add(worker);
    void worker.gone.then(() => living.delete(worker));
    return worker;
  };
  const forkSpare = (): void => {
    try {
      forkOne();
    } catch {
      // `startWorker` will fail in the same way, and report it.
    }
  };
  forkSpare();
  return {
    startWorker(boot, events) {
      const spare = [...living].find((worker) => worker.isIdle);
      try {
        return (spare ?? forkOne()).start(boot, withSuccessor(events, forkSpare));
      } catch (error) {
        // Not within the call: the caller has no channel yet.
        setImmediate(() => events.onExit({ kind: "crashed", error: toErrorRecord(error) }));
        return { send() {}, kill() {} };
      }
    },
    async [Symbol.asyncDispose]() {
      const ends = [...living].map(({ gone }) => gone);
      for (const worker of living) worker.kill();
      await Promise.race([Promise.all(ends), delay(END_WITHIN_MS, undefined, { ref: false })]);
    },
  };
}
