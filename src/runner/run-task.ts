import { join } from "node:path";
import { watchForEarlyExit } from "../base/early-exit.js";
import { exitCodeOf, KagurazakaError } from "../base/errors.js";
import { type CodeOptions, inputFromCode } from "../config/raw-input.js";
import type { RunHooks } from "../contracts/run-hooks.js";
import { prepareRun } from "./prepare/prepare-run.js";
import type { PreparedRun } from "./prepare/prepared-run.js";
import { RunCounters } from "./record/run-counters.js";
import { startRun } from "./run/open-run.js";
import type { Run } from "./run/run.js";
import { createRunId } from "./run/run-id.js";
import type { RunResult } from "./run/run-result.js";
import { dryRun } from "./tools/preview/dry-run.js";

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
 * what stopped the run early. With `dryRun: true` no item runs and nothing is written: `plan` says what would happen.
 * @throws KagurazakaError when the run could not start: a mistake in task or options, a root in use
 */
export async function runTask(task: TaskLocation, options: RunTaskOptions = {}): Promise<RunResult> {
  using watch = watchForEarlyExit("run");
  const { signal, hooks, ...settings } = options;
  const choice = typeof task === "string" ? { file: task } : task;
  const prepared = await prepareRun(inputFromCode(settings), choice);
  watch.taskFile = prepared.sourcePath;
  if (prepared.config.run.dryRun) return await planOnly(prepared, { signal, onWarning: hooks?.onWarning });
  return await runToEnd(prepared, signal, hooks);
}

async function runToEnd(
  prepared: PreparedRun,
  signal: AbortSignal | undefined,
  hooks: RunHooks = {},
): Promise<RunResult> {
  let run: Run | undefined;
  const drain = (): void => run?.drain();
  const failures: unknown[] = [];
  const onThrow = (error: unknown): void => {
    failures.push(error);
    drain();
  };
  run = await startRun(prepared, guarded(hooks, onThrow));
  signal?.addEventListener("abort", drain, { once: true });
  if (signal?.aborted || failures.length > 0) drain();
  try {
    const result = await run.result;
    if (failures.length > 0) throw failures[0];
    if (result.blockedThreads > 0) hooks.onWarning?.(blockedText(result.blockedThreads));
    return result;
  } finally {
    signal?.removeEventListener("abort", drain);
  }
}

/** The hooks, of which none throws: what has settled is recorded first, and the run ends in order. */
function guarded(hooks: RunHooks, onThrow: (error: unknown) => void): RunHooks {
  const names = ["onStart", "onOutcome", "onFirstFailure", "onRetry", "onPrint", "onLog", "onWarning"] as const;
  const given = names.filter((name) => hooks[name] !== undefined);
  const guard =
    (name: (typeof names)[number]) =>
    (...args: unknown[]) => {
      try {
        Reflect.apply(hooks[name] as (...args: unknown[]) => void, hooks, args);
      } catch (error) {
        onThrow(error);
      }
    };
  return Object.fromEntries(given.map((name) => [name, guard(name)]));
}

const blockedText = (count: number): string =>
  `${count} worker thread${count === 1 ? " is" : "s are"} blocked in a native call, which cannot be interrupted: this process can end only when it returns`;

/** Items that would run are `cancelled`: they have not run. */
async function planOnly(prepared: PreparedRun, listening: Parameters<typeof dryRun>[1]): Promise<RunResult> {
  const plan = await dryRun(prepared, listening).catch((error) => {
    if (listening?.signal?.aborted) return undefined;
    throw error;
  });
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  const counters = new RunCounters();
  if (plan) {
    const [skipped, failed, cancelled] = [sum(plan.skipped), sum(plan.refused), plan.run];
    Object.assign(counters.counts, { skipped, failed, cancelled, total: skipped + failed + cancelled });
  }
  const [run, task] = [createRunId(), prepared.program.ref.id];
  const stats = counters.stats({ run, task, elapsedMs: 0, slots: 0 });
  const { outputRoot, runsDir } = prepared.shards[0]!;
  const error = plan ? undefined : new KagurazakaError("interrupted", "the dry run was stopped before its end");
  return {
    run,
    task,
    backbone: prepared.backbone.name,
    counts: stats.counts,
    elapsedMs: 0,
    itemsPerSecond: 0,
    outputRoot,
    runDir: join(runsDir, run),
    exitCode: error ? exitCodeOf(error) : 0,
    stats,
    mostlyWaited: false,
    concurrency: 0,
    error,
    failedInTotal: 0,
    blockedThreads: 0,
    ...(plan && { plan }),
  };
}
