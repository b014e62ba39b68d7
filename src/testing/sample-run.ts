import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inputFromCode } from "../config/raw-input.js";
import {
  type BackboneDefinition,
  isFleetBackbone,
  type WorkerBackbone,
  type WorkerEvents,
  type WorkerSession,
} from "../contracts/backbone.js";
import type { Outcome } from "../contracts/outcome.js";
import { loadOwners, prepareLoaded } from "../runner/prepare/prepare-run.js";
import type { PreparedRun } from "../runner/prepare/prepared-run.js";
import { startRun } from "../runner/run/open-run.js";
import type { Run } from "../runner/run/run.js";
import type { RunResult } from "../runner/run/run-result.js";
import { readSampleJournal, type SampleEvent, type SampleItem } from "./sample-task.js";
import { withDirectory } from "./temporary.js";

const SAMPLE = new URL("./sample-task.js", import.meta.url).href;

/** How a sample is run, as it can be told to another process. */
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
  /** Called when the run is under way. */
  readonly during?: (run: Run, journal: () => SampleEvent[]) => Promise<void>;
  /** Called after its end, while what it wrote is still there. */
  readonly after?: (journal: () => SampleEvent[]) => Promise<void>;
}

/** What can be known about a run of the sample task from outside. */
export interface SampleRun {
  readonly result: RunResult;
  readonly outcomes: readonly Outcome[];
  readonly prints: readonly { readonly key: string | null; readonly text: string }[];
  readonly logs: readonly {
    readonly key: string;
    readonly level: string;
    readonly message: string;
    readonly fields?: unknown;
  }[];
  readonly journal: readonly SampleEvent[];
  readonly workers: WorkerBook;
}

/** What a session was asked for and answered. */
interface WorkerBook {
  started: number;
  exited: number;
  /** Messages and exits that came after a worker's exit, or after the session was disposed of. */
  late: string[];
}

/** Runs the sample task on a backbone, in a directory of its own, and looks on. */
export const runSample = (request: SampleRunRequest): Promise<SampleRun> =>
  withDirectory((dir) => runSampleIn(dir, request));

export const journalOf = (dir: string): SampleEvent[] => readSampleJournal(join(dir, "journal"));

/** The same, in a directory that may have seen another run of it. */
export async function runSampleIn(dir: string, request: SampleRunRequest): Promise<SampleRun> {
  const workers: WorkerBook = { started: 0, exited: 0, late: [] };
  const { backbone, items } = request;
  writeFileSync(join(dir, "plan.jsonl"), items.map((item) => `${JSON.stringify(item)}\n`).join(""));
  const prepared = await prepareSample(dir, request, isFleetBackbone(backbone) ? backbone : watched(backbone, workers));
  const journal = (): SampleEvent[] => journalOf(dir);
  const outcomes: Outcome[] = [];
  const prints: { key: string | null; text: string }[] = [];
  const logs: { key: string; level: string; message: string; fields?: unknown }[] = [];
  const run = await startRun(prepared, {
    onOutcome: (outcome) => void outcomes.push(outcome),
    onPrint: (key, text) => void prints.push({ key, text }),
    onLog: (key, level, message, fields) => void logs.push({ key, level, message, fields }),
  });
  await request.during?.(run, journal);
  const result = await run.result;
  await request.after?.(journal);
  return { result, outcomes, prints, logs, journal: journal(), workers };
}

/** The sample task, decided and checked. Its items are those that the coordinator has written into the directory. */
export async function prepareSample(dir: string, spec: SampleSpec, backbone: BackboneDefinition): Promise<PreparedRun> {
  const { options, settings = {}, task = {} } = spec;
  const input = inputFromCode({
    backoff: "1ms:5ms",
    // A backbone that loses an item must fail its case, not hang it.
    stall: "15s",
    ...settings,
    backbone: "inline",
    runDir: join(dir, "state"),
    backboneOptions: options,
    taskOptions: { plan: join(dir, "plan.jsonl"), journal: join(dir, "journal"), ...task },
  });
  const owners = await loadOwners(input, { file: SAMPLE, exportName: "SampleTask" });
  const config = { ...owners.config, backboneName: backbone.name, backboneOptions: backbone.options };
  return prepareLoaded(input, { ...owners, backbone, config });
}

/** The same backbone, with a book kept of what it does. */
function watched(backbone: WorkerBackbone, book: WorkerBook): WorkerBackbone {
  return {
    ...backbone,
    size: (options) => backbone.size(options),
    async openWorkers(request) {
      const session = await backbone.openWorkers(request);
      let disposed = false;
      const startWorker: WorkerSession["startWorker"] = (start, events) => {
        book.started++;
        let gone = false;
        const watching: WorkerEvents = {
          onMessage(message) {
            if (gone) book.late.push(`a ${message.type} message after the worker's exit`);
            events.onMessage(message);
          },
          onExit(exit) {
            if (gone) book.late.push("a second exit of one worker");
            if (disposed) book.late.push("an exit after the session was disposed of");
            gone = true;
            book.exited++;
            events.onExit(exit);
          },
        };
        return session.startWorker(start, watching);
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
