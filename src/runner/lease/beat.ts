import { Worker } from "node:worker_threads";
import { beatPath, recordPath } from "./generations.js";

/*
 * A thread of its own, so that a coordinator whose loop is busy does not look dead; plain text, so that it runs from any
 * place this module was loaded from. It ends itself once the generation is not the highest any more.
 */
const CODE = `
const { workerData } = require("node:worker_threads");
const { existsSync, writeFileSync } = require("node:fs");
let count = 0;
const timer = setInterval(beat, workerData.intervalMs);
beat();
function beat() {
  try {
    if (existsSync(workerData.next) || !existsSync(workerData.own)) return clearInterval(timer);
    writeFileSync(workerData.beat, String(++count));
  } catch {}
}
`;

export interface Beat {
  /** Starts it now, if it has not started yet. */
  start(): void;
  stop(): Promise<void>;
}

export interface BeatOptions {
  readonly dir: string;
  readonly generation: number;
  readonly intervalMs: number;
  /** It starts by itself after this time: a run that is over sooner does not pay for a thread. */
  readonly afterMs: number;
}

export function createBeat(options: BeatOptions): Beat {
  const { dir, generation, intervalMs, afterMs } = options;
  let worker: Worker | undefined;
  const start = (): void => {
    clearTimeout(timer);
    if (worker) return;
    const workerData = {
      intervalMs,
      beat: beatPath(dir, generation),
      own: recordPath(dir, generation),
      next: recordPath(dir, generation + 1),
    };
    worker = new Worker(CODE, { eval: true, workerData, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 16 } });
    // Without a heartbeat another machine may take over, which the holder notices before it writes.
    worker.on("error", () => {});
    worker.unref();
  };
  const timer = setTimeout(start, afterMs);
  timer.unref();
  return {
    start,
    async stop() {
      clearTimeout(timer);
      await worker?.terminate();
    },
  };
}
