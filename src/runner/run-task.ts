import { type CodeOptions, inputFromCode } from "../config/raw-input.js";
import type { RunHooks } from "../contracts/run-hooks.js";
import { prepareRun } from "./prepare/prepare-run.js";
import { startRun } from "./run/open-run.js";
import type { RunResult } from "./run/run-result.js";

/** Which task: a file (and the export, where it has several), or `@name` for a ready-made one. */
export type TaskLocation = string | { readonly file: string; readonly exportName?: string };

export interface RunTaskOptions extends CodeOptions {
  /** Aborting it lets what runs settle for at most `grace` and starts nothing more; the run can be resumed. */
  readonly signal?: AbortSignal;
  readonly hooks?: RunHooks;
}

/**
 * Runs a task to its end: the whole product without a command line. Nothing is global; several may run at once in one
 * process, on different output roots. Signals, progress bars and exit codes are the caller's.
 *
 * Items that fail do not reject: they are in `counts` and in failed.jsonl, and `exitCode` is what the command would exit
 * with. What stopped the run early is in `error`.
 * @throws KagurazakaError when nothing could run: a mistake in task or options, a root in use
 */
export async function runTask(task: TaskLocation, options: RunTaskOptions = {}): Promise<RunResult> {
  const { signal, hooks, ...said } = options;
  const choice = typeof task === "string" ? { file: task } : task;
  const prepared = await prepareRun(inputFromCode(said), choice);
  signal?.throwIfAborted();
  const run = await startRun(prepared, hooks);
  const drain = (): void => run.drain();
  signal?.addEventListener("abort", drain, { once: true });
  if (signal?.aborted) drain();
  try {
    return await run.result;
  } finally {
    signal?.removeEventListener("abort", drain);
  }
}
