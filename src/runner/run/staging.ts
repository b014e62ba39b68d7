import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { environmentError } from "../../base/disk.js";
import { isTemporaryOf } from "../../base/json-file.js";
import { makeDirectory } from "../../base/make-directory.js";
import { readNames } from "../../base/read-names.js";
import type { Partition } from "../../contracts/partition.js";
import type { ShardTarget } from "../../contracts/wire.js";
import { areDisjoint, partitionName } from "../lease/index.js";
import type { ShardPaths } from "../prepare/shard-paths.js";

/**
 * The directory of a run's staging. What dead runs left behind goes: whoever holds the lease of a scope knows that nobody
 * else works on any part of it. Of runs beside it, or of other tasks, it knows nothing.
 */
export function openStaging(paths: ShardPaths, run: string, scope: Partition): string {
  for (const other of readNames(paths.stagingRoot)) if (isDeadRun(paths, scope, other)) removeLeftovers(paths, other);
  const dir = join(paths.stagingRoot, run);
  makeDirectory(dir);
  return dir;
}

/** The same, as names that a worker can find on its side. */
export const targetOf = ({ base, stagingRoot, keptRoot }: ShardPaths, run: string): ShardTarget => ({
  staging: relative(base, join(stagingRoot, run)),
  kept: relative(base, keptRoot),
});

/** Staging last: as long as it is there, the next run finds the rest as well. */
function removeLeftovers(paths: ShardPaths, run: string): void {
  for (const dir of [paths.stateDir, join(paths.runsDir, run)]) {
    for (const name of readNames(dir)) if (isTemporaryOf(name, run)) rmSync(join(dir, name), { force: true });
  }
  rmSync(join(paths.stagingRoot, run), { recursive: true, force: true });
}

/** Whether whoever holds the lease of `scope` knows that this run of the same task has ended, however it did. */
export function isDeadRun(paths: ShardPaths, scope: Partition, run: string): boolean {
  const theirs = partitionOfRun(paths, run);
  if (theirs !== undefined) return !areDisjoint(theirs, scope);
  // Its record went with the power. It is of this task; whoever holds all of it is alone with it.
  return existsSync(join(paths.runsDir, run)) && partitionName(scope) === "all";
}

function partitionOfRun(paths: ShardPaths, run: string): Partition | undefined {
  try {
    return (JSON.parse(readFileSync(join(paths.runsDir, run, "run.json"), "utf8")) as { scope?: Partition }).scope;
  } catch {
    return undefined;
  }
}

/** Names the state directory: a copy of it elsewhere can be told from it. A kill may leave the name empty; the next run gives one. */
export function openRootId(paths: ShardPaths): string {
  const path = join(paths.stateDir, "root-id");
  try {
    const known = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
    if (known === "") writeFileSync(path, `${randomUUID()}\n`);
    return known || readFileSync(path, "utf8").trim();
  } catch (error) {
    throw environmentError("write", path, error);
  }
}

/** Removes the folder of what items keep, where nothing is kept any more. */
export function closeKept({ keptRoot, stateDir }: ShardPaths): void {
  try {
    rmdirSync(keptRoot);
    if (dirname(keptRoot) !== stateDir) rmdirSync(dirname(keptRoot));
  } catch {
    // Nothing was ever kept, or something still is.
  }
}

/** Removes the run's staging, and the folders that only held it. */
export function closeStaging(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  try {
    rmdirSync(dirname(dir));
    // Stays where the records of runs are kept in it too.
    rmdirSync(dirname(dirname(dir)));
  } catch {
    // Something else is in there.
  }
}
