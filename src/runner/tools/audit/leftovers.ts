import { readOwnNames } from "../../../base/own-file.js";
import type { Partition } from "../../../contracts/partition.js";
import { isCompacted } from "../../ledger/lines.js";
import { listSegments } from "../../ledger/load-ledger.js";
import type { ShardPaths } from "../../prepare/shard-paths.js";
import { isDeadRun } from "../../run/staging.js";
import { isCompactionLeftover } from "../compact/compact-ledger.js";

/** Files of runs and compactions that were killed. They do no harm; the next run or compaction removes them. */
export interface Leftovers {
  /** Runs whose staging directory is still there. */
  readonly staging: readonly string[];
  /** Files in the ledger directory. */
  readonly ledger: readonly string[];
}

/**
 * The leftovers that a run over this partition would remove. Those of other tasks and of disjoint partitions are left out.
 * @param alive runs that hold a lease
 */
export function findLeftovers(paths: ShardPaths, partition: Partition, alive: ReadonlySet<string>): Leftovers {
  const staging = readOwnNames(paths.stagingRoot).filter((run) => !alive.has(run) && isDeadRun(paths, partition, run));
  return { staging, ledger: ledgerLeftovers(paths.ledgerDir) };
}

function ledgerLeftovers(dir: string): string[] {
  const segments = listSegments(dir);
  const compacted = segments.findLast(({ header }) => isCompacted(header));
  const folded = compacted ? segments.slice(0, segments.indexOf(compacted)).map(({ file }) => file) : [];
  return [...readOwnNames(dir).filter(isCompactionLeftover), ...folded];
}
