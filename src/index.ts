/**
 * For authors of tasks, as `kagurazaka`. Every worker imports it, so it loads no engine, no parser and no pattern library.
 */
import type { RunResult } from "./runner/run/run-result.js";
import type { RunTaskOptions, TaskLocation } from "./runner/run-task.js";
import type { RunWorkerOptions } from "./runner/run-worker.js";

export * from "../templates/index.js";
export { PermanentError, RetryAfterError } from "./base/errors.js";
export { parseJson, stringifyJson } from "./base/exact-json.js";
export { maskText } from "./base/mask.js";
export { didYouMean } from "./base/nearest.js";
export { defineOptions, type OptionSpec, type OptionSpecs, type OptionValues } from "./base/option-spec.js";
export type { FileItem, FileTriplet, Item, Json, OutputFile } from "./contracts/item.js";
export type { DryRun, Outcome, OutcomeCounts, OutcomeStatus } from "./contracts/outcome.js";
export type { RunHooks } from "./contracts/run-hooks.js";
export type {
  Captured,
  Filtered,
  Generated,
  ProgramEnd,
  ProgramOptions,
  RunPlan,
  RunStats,
  TaskContext,
  TaskLog,
} from "./contracts/task.js";
export type { RunResult } from "./runner/run/run-result.js";
export type { RunTaskOptions, TaskLocation } from "./runner/run-task.js";
export type { RunWorkerOptions } from "./runner/run-worker.js";
export { KAGURAZAKA_MIXIN_PLACEHOLDER, KagurazakaTask } from "./task.js";

/** Works as a node of a fleet; see `RunWorkerOptions`. */
export async function runWorker(task: TaskLocation, options?: RunWorkerOptions): Promise<void> {
  return (await import("./runner/run-worker.js")).runWorker(task, options);
}

/** Runs a task from code; see `RunTaskOptions`. Loads the runner when it is called, so that workers never load it. */
export async function runTask(task: TaskLocation, options?: RunTaskOptions): Promise<RunResult> {
  return (await import("./runner/run-task.js")).runTask(task, options);
}
