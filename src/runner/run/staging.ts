import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { environmentError } from "../../base/disk.js";
import { isTemporaryOf } from "../../base/json-file.js";
import { makeOwnDirectory, removeEmpty } from "../../base/make-directory.js";
import { readOwn, readOwnNames } from "../../base/own-file.js";
import { killProcessesOf } from "../../base/process-group.js";
import { createWhole, replaceFile } from "../../base/whole-file.js";
import { isPartition, type Partition } from "../../contracts/partition.js";
import type { ShardTarget } from "../../contracts/wire.js";
import { areDisjoint, partitionName } from "../lease/index.js";
import type { ShardPaths } from "../prepare/shard-paths.js";

/**
 * Makes the staging directory of a run, and removes those of dead runs: the lease of a partition guarantees that no other run
 * works on a part of it. Runs of other partitions and of other tasks may be alive, and theirs are kept.
 */
export function openStaging(paths: ShardPaths, run: string, partition: Partition): string {
  for (const other of readOwnNames(paths.stagingRoot))
    if (isDeadRun(paths, partition, other)) removeLeftovers(paths, other);
  const dir = join(paths.stagingRoot, run);
  makeOwnDirectory(dir);
  return dir;
}

/** Staging and kept directories as names below `base`, which a worker resolves on its side. */
export const targetOf = ({ base, stagingRoot, keptRoot }: ShardPaths, run: string): ShardTarget => ({
  staging: relative(base, join(stagingRoot, run)),
  kept: relative(base, keptRoot),
});

/** Removes staging last: as long as it exists, the next run removes the other leftovers as well. */
function removeLeftovers(paths: ShardPaths, run: string): void {
  // Programs of its items may have outlived it, where the guardian was killed as well. They must not write beside ours.
  killProcessesOf(run);
  for (const dir of [paths.stateDir, join(paths.runsDir, run)]) {
    for (const name of readOwnNames(dir)) if (isTemporaryOf(name, run)) rmSync(join(dir, name), { force: true });
  }
  rmSync(join(paths.stagingRoot, run), { recursive: true, force: true });
}

/** Whether a run of the same task has surely ended, cleanly or not, given that the caller holds the lease of `partition`. */
export function isDeadRun(paths: ShardPaths, partition: Partition, run: string): boolean {
  const theirs = partitionOfRun(paths, run);
  if (theirs !== undefined) return !areDisjoint(theirs, partition);
  // A power loss has taken its run.json, so its partition is unknown. The lease of the whole root covers them all.
  return existsSync(join(paths.runsDir, run)) && partitionName(partition) === "all";
}

function partitionOfRun(paths: ShardPaths, run: string): Partition | undefined {
  try {
    const { scope } = JSON.parse(readOwn(join(paths.runsDir, run, "run.json"))) as { scope?: unknown };
    return isPartition(scope) ? scope : undefined;
  } catch {
    return undefined;
  }
}

/** A random id of the state directory. A kill may leave the file empty; the next run fills it. */
export function openRootId(paths: ShardPaths): string {
  const path = join(paths.stateDir, "root-id");
  const id = randomUUID();
  const temporary = `${path}.${id}.tmp`;
  try {
    // Runs of other partitions may begin at the same moment: all of them take the first one's.
    const isNew = lstatSync(path, { throwIfNoEntry: false }) === undefined && createWhole(path, `${id}\n`, temporary);
    const known = isNew ? id : readOwn(path).trim();
    if (known === "") replaceFile(path, `${id}\n`, { temporary });
    return known || id;
  } catch (error) {
    throw environmentError("write", path, error);
  }
}

/** The id that a run has given the state directory before; undefined where there was none. */
export function readRootId({ stateDir }: ShardPaths): string | undefined {
  const path = join(stateDir, "root-id");
  return existsSync(path) ? readOwn(path).trim() || undefined : undefined;
}

/** Removes the directory of `ctx.keptDir`s, where it is empty. */
export function closeKept({ keptRoot, stateDir }: ShardPaths): void {
  const parent = dirname(keptRoot);
  removeEmpty(keptRoot, ...(parent === stateDir ? [] : [parent]));
}

/** Removes the run's staging, and the directories above it that are empty now. */
export function closeStaging(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  removeEmpty(dirname(dir), dirname(dirname(dir)));
}
