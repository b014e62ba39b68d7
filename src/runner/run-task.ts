import { type CodeOptions, inputFromCode } from "../config/raw-input.js";
import type { RunHooks } from "../contracts/run-hooks.js";
import { prepareRun } from "./prepare/prepare-run.js";
import { startRun } from "./run/open-run.js";
import type { RunResult } from "./run/run-result.js";

/** Which task: a file (and the export, where it has several), or `@name` for a ready-made one. */
export type TaskLocation = string | { readonly file: string; readonly exportName?: string };

export interface RunTaskOptions extends CodeOptions {
  /** When it aborts, no more items start and running ones have `grace` to settle; the same call later resumes the run. */
  readonly signal?: AbortSignal;
  readonly hooks?: RunHooks;
}

/**
 * Runs a task to its end, without a command line. No state is global: several runs may share a process, on different output
 * roots. Signals, progress bars and exit codes are the caller's.
 *
 * Failed items do not reject: they are in `counts` and in failed.jsonl, and `exitCode` is the command's exit code. `error` is
 * what stopped the run early.
 * @throws KagurazakaError when the run could not start: a mistake in task or options, a root in use
 */
export async function runTask(task: TaskLocation, options: RunTaskOptions = {}): Promise<RunResult> {
  const { signal, hooks, ...settings } = options;
  const choice = typeof task === "string" ? { file: task } : task;
  const prepared = await prepareRun(inputFromCode(settings), choice);
  signal?.throwIfAborted();
  const run = await startRun(prepared, hooks);
  const drain = (): void => run.drain();
  signal?.addEventListener("abort", drain, { once: true });
  if (signal?.aborted) drain();
  try {
    const result = await run.result;
    if (result.blockedThreads > 0) hooks?.onWarning?.(blockedText(result.blockedThreads));
    return result;
  } finally {
    signal?.removeEventListener("abort", drain);
  }
}

const blockedText = (count: number): string =>
  `${count} worker thread${count === 1 ? " is" : "s are"} blocked in a native call, which cannot be interrupted: this process can end only when it returns`;
