import { readNames } from "../../../base/read-names.js";
import type { Partition } from "../../../contracts/partition.js";
import { isCompacted } from "../../ledger/lines.js";
import { listSegments } from "../../ledger/load-ledger.js";
import type { ShardPaths } from "../../prepare/shard-paths.js";
import { isDeadRun } from "../../run/staging.js";
import { isCompactionLeftover } from "../compact/compact-ledger.js";

/** What runs and compactions that were killed have left behind. It does no harm, and the next of its kind removes it. */
export interface Leftovers {
  /** Runs whose staging directory is still there. */
  readonly staging: readonly string[];
  /** Files in the ledger directory. */
  readonly ledger: readonly string[];
}

/**
 * Staging of runs whose part overlaps `scope`: those a run of this scope sweeps. Of other tasks and of shards beside it
 * nothing is known.
 * @param living runs at work, by their lease
 */
export function findLeftovers(paths: ShardPaths, scope: Partition, living: ReadonlySet<string>): Leftovers {
  const staging = readNames(paths.stagingRoot).filter((run) => !living.has(run) && isDeadRun(paths, scope, run));
  return { staging, ledger: ledgerLeftovers(paths.ledgerDir) };
}

function ledgerLeftovers(dir: string): string[] {
  const segments = listSegments(dir);
  const compacted = segments.findLast(({ header }) => isCompacted(header));
  const folded = compacted ? segments.slice(0, segments.indexOf(compacted)).map(({ file }) => file) : [];
  return [...readNames(dir).filter(isCompactionLeftover), ...folded];
}
