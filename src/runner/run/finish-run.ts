import { asKagurazakaError, exitCodeOf, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { settles } from "../../base/settles.js";
import type { RunStats } from "../../contracts/task.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import type { Run, RunParts } from "./run.js";
import { finalCheckpoint } from "./run-checkpoints.js";
import type { RunResult } from "./run-result.js";

/** What "mostly waited" means: at least so long, slots so full, processors so idle. */
const WAITED_MS = 2000;
const SLOTS_FULL = 0.8;
const PROCESSORS_IDLE = 0.7;

/** After the last outcome: `finalize()`, the ends of epochs, the last checkpoint, then failed.jsonl, stats.json, run.json. */
export async function finishRun(run: Run, parts: RunParts, stopped: KagurazakaError | undefined): Promise<RunResult> {
  const { prepared, shards, counters, stack, checkpoints } = parts;
  const { info } = run;
  const { run: id, task, concurrency, workers } = info;
  const { idleShare } = run;
  const stats = counters.stats({ run: id, task, elapsedMs: run.elapsedMs, slots: concurrency });
  // The nodes of a fleet have processors of their own.
  const hasWaited = workers > 0 && stats.elapsedMs >= WAITED_MS && idleShare >= PROCESSORS_IDLE;
  const mostlyWaited = hasWaited && stats.utilisation >= SLOTS_FULL;
  // The last write of outcomes may have failed, when the execution was over and could not be stopped.
  let error = stopped ?? shards.map(({ stopCause, recorder }) => stopCause ?? recorder.stopCause).find(Boolean);
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (thrown) {
      error ??= asKagurazakaError(thrown);
    }
  };
  for (const shard of shards) {
    try {
      shard.assertHeld();
    } catch (lost) {
      // The run that took the lease over has removed our staging, and items failed because of that: the lease is the cause.
      if (KagurazakaError.is(lost) && lost.code === "root-in-use") error = lost;
    }
  }
  const { cancelled } = stats.counts;
  if (!error && cancelled === 0 && shards.every(({ listed }) => listed))
    await attempt(() => finalize(run, prepared, stats));
  if (!error && run.isInterrupted && (cancelled > 0 || !shards.every(({ listed }) => listed)))
    error = new KagurazakaError("interrupted", "the run was stopped before its end; the same run goes on from here");
  if (!error) for (const shard of shards) if (shard.isComplete) await attempt(() => shard.completeEpoch());
  if (checkpoints)
    await attempt(() => finalCheckpoint(checkpoints, shards, { error, cancelled, warn: (text) => run.warn(text) }));
  let failedInTotal = 0;
  for (const shard of shards)
    await attempt(async () => {
      failedInTotal += await shard.sumUp(stats);
    });
  for (const shard of shards) if (shard.sawAll) shard.clearSuspects();
  const allowed = counters.withinAllowance(prepared.config.run.allowFailures);
  // The command line has codes of its own for signals (129, 143) and usage (2); errors.ts has the others. 3: some items failed.
  const exitCode = (): number => (error ? exitCodeOf(error) : allowed ? 0 : 3);
  for (const shard of shards)
    await attempt(() => shard.writeEnd({ exitCode: exitCode(), stats, error: error && toErrorRecord(error) }));
  run.reportEnd(exitCode(), error);
  await attempt(() => stack.close());
  const { backbone, outputRoot, runDir } = info;
  const { counts, elapsedMs, itemsPerSecond } = stats;
  const numbers = {
    counts,
    elapsedMs,
    itemsPerSecond,
    stats,
    failedInTotal,
    exitCode: exitCode(),
    blockedThreads: parts.isolation?.blocked() ?? 0,
  };
  return { run: id, task, backbone, outputRoot, runDir, error, concurrency, mostlyWaited, ...numbers };
}

async function finalize(run: Run, { instance, program, sourcePath }: PreparedRun, stats: RunStats): Promise<void> {
  const name = `finalize() of ${program.ref.id}`;
  try {
    await Promise.race([settles(name, instance.finalize?.(stats), sourcePath), run.whenKilled]);
  } catch (cause) {
    if (KagurazakaError.is(cause)) throw cause;
    throw new KagurazakaError("internal", `finalize() failed: ${toErrorRecord(cause).message}`, { cause });
  }
}
