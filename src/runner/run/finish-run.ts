import { asKagurazakaError, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import type { RunStats, TaskInstance } from "../../contracts/task.js";
import { statsOf } from "../record/run-stats.js";
import { exitCodeOfRun } from "./exit-code.js";
import type { Run, RunParts } from "./run.js";
import { finalCheckpoint } from "./run-checkpoints.js";
import type { RunResult } from "./run-result.js";

/** After the last outcome: `finalize`, the ends of epochs, the last checkpoint, and the files that sum the run up. */
export async function finishRun(run: Run, parts: RunParts, stopped: KagurazakaError | undefined): Promise<RunResult> {
  const { prepared, shards, counters, stack, checkpoints } = parts;
  const { info } = run;
  const slots = info.workers * info.concurrency;
  const stats = statsOf({ run: info.run, task: info.task, counters, elapsedMs: run.elapsedMs, slots });
  // What could not be recorded may be the last of it, when there was nothing left to stop.
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
      // The run that took over has swept our staging: items that failed for it are not the reason.
      if (KagurazakaError.is(lost) && lost.code === "root-in-use") error = lost;
    }
  }
  const { cancelled } = stats.counts;
  if (!error && cancelled === 0 && shards.every(({ listed }) => listed))
    await attempt(() => finalize(prepared.instance, stats));
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
  const exitCode = (): number => exitCodeOfRun({ error, counts: stats.counts, allowed });
  for (const shard of shards)
    await attempt(() => shard.writeEnd({ exitCode: exitCode(), stats, error: error && toErrorRecord(error) }));
  await attempt(() => stack.close());
  const { run: id, task, backbone, outputRoot, runDir } = info;
  const { counts, elapsedMs, itemsPerSecond } = stats;
  return {
    run: id,
    task,
    backbone,
    counts,
    elapsedMs,
    itemsPerSecond,
    outputRoot,
    runDir,
    exitCode: exitCode(),
    stats,
    error,
    failedInTotal,
  };
}

async function finalize(instance: TaskInstance, stats: RunStats): Promise<void> {
  try {
    await instance.finalize?.(stats);
  } catch (cause) {
    throw new KagurazakaError("internal", `finalize() failed: ${toErrorRecord(cause).message}`, { cause });
  }
}
