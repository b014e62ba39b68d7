import type { KagurazakaError } from "../../base/errors.js";
import { Checkpoints } from "../ledger/checkpoints/checkpoints.js";
import type { RunLog } from "./run-log.js";
import type { Shard } from "./shard.js";

/** Checkpoints in the ledgers of all shards of a run. */
export function openCheckpoints(shards: readonly Shard[], log: RunLog): Checkpoints {
  const dirs = shards.flatMap(({ paths: { outputRoot, stateDir } }) => [outputRoot ?? stateDir, stateDir]);
  return new Checkpoints({ shards, dirs, note: (message) => log.write("warning", null, { message }) });
}

interface RunEnding {
  readonly error: KagurazakaError | undefined;
  readonly cancelled: number;
  readonly warn: (message: string) => void;
}

/**
 * The last checkpoint of a run whose outcomes are all recorded. It carries `end` only where no item was cancelled: an item
 * that was stopped may have published its output without an outcome.
 */
export function finalCheckpoint(
  checkpoints: Checkpoints,
  shards: readonly Shard[],
  { error, cancelled, warn }: RunEnding,
): Promise<void> {
  const end = error || cancelled > 0 ? {} : ({ end: true } as const);
  return checkpoints.finish({
    owed: shards.some(({ history }) => history.owesSync),
    says: (i) => {
      const { isComplete, history } = shards[i]!;
      return { ...end, ...(end.end && isComplete && history.seesAll ? { settled: true } : {}) };
    },
    onWait: () => warn("waiting up to 10 s for the disk, so that a power loss would lose nothing of this run"),
  });
}
