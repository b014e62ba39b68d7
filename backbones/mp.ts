import { availableParallelism } from "node:os";
import { defineBackbone, type WorkerSession, type WorkerSetup } from "../src/kit.js";
import { checkCpus, openCpuShares, parseCpus } from "./mp/cpu-affinity.js";
import type { MpRequest } from "./mp/workers-request.js";

/**
 * All cores of this machine. Workers are threads of this process, or processes, which cost a little more per item but can
 * crash without ending the run.
 */
const mp = defineBackbone({
  name: "mp",
  help: "Runs items on all cores of this machine, in worker threads or in processes.",
  options: {
    numProcess: {
      type: "string",
      default: "auto",
      parse: parseWorkers,
      placeholder: "N|50%|auto",
      help: "Workers: a number, a share of the cores, or auto = one per core.",
    },
    isolation: {
      type: "string",
      choices: ["thread", "process"],
      default: "thread",
      help: "What a worker is. A native crash (SIGSEGV) in a thread ends the whole run; in a process it costs one item.",
    },
    maxHeap: {
      type: "size",
      plainUnit: 1e6,
      help: "Heap limit of each worker, e.g. 512MB. A worker over it dies and its item is tried alone. Default: Node's.",
    },
    recycleAfter: {
      type: "integer",
      min: 1,
      placeholder: "N",
      help: "After N items a worker tears down and makes room for a fresh one, for code that leaks. Default: never.",
    },
    recycleRss: {
      type: "size",
      plainUnit: 1e6,
      help: "The same once a worker uses so much memory, e.g. 500MB or 2GB (a process: its resident memory; a thread: its own heap and buffers). Default: never.",
    },
    cpuAffinity: {
      type: "string",
      parse: parseCpus,
      placeholder: "0,1",
      help: "Processors to pin workers to, in turn, e.g. 0,1 or 0-3,8 (Linux, with taskset). Default: all.",
    },
  },
  kinds: ["item"],
  killable: true,
  size(options) {
    checkCpus(options.cpuAffinity as readonly number[] | undefined);
    return { workers: workersOf(options.numProcess) };
  },
  isolated: (options) => (options.isolation === "process" ? undefined : { ...options, isolation: "process" }),
  async warmUp({ options, ...request }) {
    if (options.isolation === "process") return undefined;
    const { WarmThreads } = await import("./mp/threads.js");
    return new WarmThreads({ ...request, maxHeapBytes: options.maxHeap as number | undefined });
  },
  async openWorkers({ options, ...request }) {
    const wanted: MpRequest = {
      ...request,
      maxHeapBytes: options.maxHeap as number | undefined,
      cpus: openCpuShares(options.cpuAffinity as readonly number[] | undefined),
    };
    const session =
      options.isolation === "process"
        ? (await import("./mp/processes.js")).openProcesses(wanted)
        : await (await import("./mp/threads.js")).openThreads(wanted);
    const { recycleAfter, recycleRss } = options as { recycleAfter?: number; recycleRss?: number };
    if (recycleAfter === undefined && recycleRss === undefined) return session;
    return recycling(session, { afterItems: recycleAfter, bytes: recycleRss });
  },
});

/** The same session, with limits in the setup of each worker. */
const recycling = (session: WorkerSession, recycle: NonNullable<WorkerSetup["recycle"]>): WorkerSession => ({
  startWorker: (start, events) => session.startWorker({ ...start, setup: { ...start.setup, recycle } }, events),
  blocked: () => session.blocked?.() ?? 0,
  [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
});

function parseWorkers(text: string): number | string {
  if (text === "auto" || /^[1-9]\d{0,3}$/.test(text) || /^(?:[1-9]\d?|[1-9]\d\d)%$/.test(text)) return text;
  throw new Error(`a number of workers from 1 to 9999, a share like 50% (up to 999%), or auto`);
}

function workersOf(value: unknown): number {
  const text = String(value);
  const cores = availableParallelism();
  if (text === "auto") return cores;
  return text.endsWith("%") ? Math.max(1, Math.round((cores * Number.parseInt(text, 10)) / 100)) : Number(text);
}

export default mp;
