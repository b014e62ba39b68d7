import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inputFromCode, overWritten } from "../config/raw-input.js";
import {
  type BackboneDefinition,
  isFleetBackbone,
  type WorkerBackbone,
  type WorkerSession,
} from "../contracts/backbone.js";
import type { Outcome } from "../contracts/outcome.js";
import type { WrittenConfig } from "../contracts/run-config.js";
import { loadOwners, prepareLoaded } from "../runner/prepare/prepare-run.js";
import type { PreparedRun } from "../runner/prepare/prepared-run.js";
import { startRun } from "../runner/run/open-run.js";
import type { Run } from "../runner/run/run.js";
import type { RunResult } from "../runner/run/run-result.js";
import { readSampleJournal, type SampleEvent, type SampleItem } from "./sample-task.js";
import { withDirectory } from "./temporary.js";

const SAMPLE = new URL("./sample-task.js", import.meta.url).href;

/** A run of the sample task, as JSON for another process. */
export interface SampleSpec {
  readonly items: readonly SampleItem[];
  /** The backbone's own options. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  /** The run's settings, as `runTask` takes them. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  readonly task?: Readonly<Record<string, unknown>> | undefined;
}

export interface SampleRunRequest extends SampleSpec {
  readonly backbone: BackboneDefinition;
  /** Called while the run is running. */
  readonly during?: (run: Run, journal: () => SampleEvent[]) => Promise<void>;
  /** Called after its end, before its files are removed. */
  readonly after?: (journal: () => SampleEvent[]) => Promise<void>;
}

interface SampleLog {
  readonly key: string;
  readonly level: string;
  readonly message: string;
  readonly fields?: unknown;
}

/** What a finished run of the sample task did, seen from outside. */
export interface SampleRun {
  readonly result: RunResult;
  readonly outcomes: readonly Outcome[];
  readonly logs: readonly SampleLog[];
  readonly journal: readonly SampleEvent[];
  readonly workers: WorkerCounts;
}

/** Starts and exits of workers in one session. */
interface WorkerCounts {
  started: number;
  exited: number;
  /** Messages and exits that came after a worker's exit, or after the session was disposed of. */
  late: string[];
}

/** Runs the sample task on a backbone, in a directory of its own. */
export const runSample = (request: SampleRunRequest): Promise<SampleRun> =>
  withDirectory((dir) => runSampleIn(dir, request));

export const journalOf = (dir: string): SampleEvent[] => readSampleJournal(join(dir, "journal"));

/** The same, in a directory that another run may have used before. */
export async function runSampleIn(dir: string, request: SampleRunRequest): Promise<SampleRun> {
  const workers: WorkerCounts = { started: 0, exited: 0, late: [] };
  const { backbone, items } = request;
  writeFileSync(join(dir, "plan.jsonl"), items.map((item) => `${JSON.stringify(item)}\n`).join(""));
  const prepared = await prepareSample(dir, request, isFleetBackbone(backbone) ? backbone : watched(backbone, workers));
  const journal = (): SampleEvent[] => journalOf(dir);
  const outcomes: Outcome[] = [];
  const logs: SampleLog[] = [];
  const run = await startRun(prepared, {
    onOutcome: (outcome) => void outcomes.push(outcome),
    onLog: (key, level, message, fields) => void logs.push({ key, level, message, fields }),
  });
  await request.during?.(run, journal);
  const result = await run.result;
  await request.after?.(journal);
  return { result, outcomes, logs, journal: journal(), workers };
}

/** Prepares the sample task, on a node with the configuration of a run. Its items are those in the plan.jsonl of the directory, written by the coordinator. */
export async function prepareSample(
  dir: string,
  spec: SampleSpec,
  backbone: BackboneDefinition,
  written?: WrittenConfig,
): Promise<PreparedRun> {
  const { options, settings = {}, task = {} } = spec;
  const own = inputFromCode({
    backoff: "1ms:5ms",
    // A backbone that loses an item has to fail the test, not block it.
    stall: "15s",
    ...settings,
    backbone: "inline",
    runDir: join(dir, "state"),
    backboneOptions: options,
    taskOptions: { plan: join(dir, "plan.jsonl"), journal: join(dir, "journal"), ...task },
  });
  const input = written ? overWritten(own, written) : own;
  const owners = await loadOwners(input, { file: SAMPLE, exportName: "SampleTask" });
  const config = { ...owners.config, backboneName: backbone.name, backboneOptions: backbone.options };
  return prepareLoaded(input, { ...owners, backbone, config });
}

/** The same backbone, counting starts and exits of workers. */
function watched(backbone: WorkerBackbone, counts: WorkerCounts): WorkerBackbone {
  return {
    ...backbone,
    size: (options) => backbone.size(options),
    async openWorkers(request) {
      const session = await backbone.openWorkers(request);
      let disposed = false;
      const startWorker: WorkerSession["startWorker"] = (start, events) => {
        counts.started++;
        let exited = false;
        return session.startWorker(start, {
          onMessage(message) {
            if (exited) counts.late.push(`a ${message.type} message after the worker's exit`);
            events.onMessage(message);
          },
          onExit(exit) {
            if (exited) counts.late.push("a second exit of one worker");
            if (disposed) counts.late.push("an exit after the session was disposed of");
            exited = true;
            counts.exited++;
            events.onExit(exit);
          },
        });
      };
      return {
        startWorker,
        async [Symbol.asyncDispose]() {
          await session[Symbol.asyncDispose]();
          disposed = true;
        },
      };
    },
  };
}
