import { randomUUID } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import { hashText, nameOfHash } from "../../base/hash.js";
import { isTemporaryOf } from "../../base/json-file.js";
import { makeDirectory } from "../../base/make-directory.js";
import { OWN_DIRECTORY } from "../../base/own-directory.js";
import { readNames } from "../../base/read-names.js";
import type { Root } from "../../contracts/modes.js";
import { areDisjoint, partitionName } from "../lease/index.js";
import { environmentError, type Partition } from "../ledger/index.js";

/** Where a task keeps what it knows, on disk. */
export interface ShardPaths {
  readonly outputRoot: string | null;
  /** `<output_root>/.kagurazaka/<task id>`, or below `--run-dir`, or below the working directory. */
  readonly stateDir: string;
  readonly ledgerDir: string;
  readonly leaseDir: string;
  readonly runsDir: string;
  readonly failedFile: string;
  readonly statsFile: string;
  /** Below the output root, so that a rename never crosses a file system. */
  readonly stagingRoot: string;
  /** Below the output root too: what items keep (`ctx.keptDir`) is renamed into place as well. */
  readonly keptRoot: string;
  /** Which items were at workers, in case the whole process dies of one. */
  readonly inFlightDir: string;
}

/** One place per hard shard. Below `--run-dir`, and where no files are written, several shards keep apart by number. */
export function resolveShardPaths(taskId: string, roots: readonly Root[], runDir: string | undefined): ShardPaths[] {
  const folder = taskId.replace(/[^\w.@+-]/g, "_");
  const shards: readonly (Root | undefined)[] = roots.length === 0 ? [undefined] : roots;
  return shards.map((root) => {
    const outputRoot = root?.outputPath ?? null;
    const common = runDir !== undefined || outputRoot === null;
    const base = runDir === undefined ? join(outputRoot ?? process.cwd(), OWN_DIRECTORY) : resolve(runDir);
    return pathsIn(common && shards.length > 1 ? join(base, folder, shardName(root!)) : join(base, folder), outputRoot);
  });
}

/** By what it reads, so that another selection of shards finds what this one recorded. */
const shardName = ({ inputPath }: Root): string => `shard-${nameOfHash(hashText(inputPath)).slice(0, 12)}`;

function pathsIn(stateDir: string, outputRoot: string | null): ShardPaths {
  return {
    outputRoot,
    stateDir,
    ledgerDir: join(stateDir, "ledger"),
    leaseDir: join(stateDir, "lease"),
    runsDir: join(stateDir, "runs"),
    failedFile: join(stateDir, "failed.jsonl"),
    statsFile: join(stateDir, "stats.json"),
    inFlightDir: join(stateDir, "under-way"),
    stagingRoot: outputRoot === null ? join(stateDir, "staging") : join(outputRoot, OWN_DIRECTORY, "staging"),
    keptRoot:
      outputRoot === null ? join(stateDir, "kept") : join(outputRoot, OWN_DIRECTORY, "kept", basename(stateDir)),
  };
}

/** The mistakes about directories that can be seen before anything is written. */
export function checkRoots(
  roots: readonly Root[],
  readsInputRoot: boolean,
  paths: readonly ShardPaths[],
): KagurazakaError[] {
  const mistakes: KagurazakaError[] = [];
  for (const { inputPath } of readsInputRoot ? roots : []) {
    const stat = statIfThere(inputPath);
    if (!stat) {
      mistakes.push(
        new KagurazakaError("input-root", `the input root ${inputPath} does not exist`, {
          where: "hard_shard_mode.input_path",
          hint: nearestExisting(inputPath),
        }),
      );
    } else if (!stat.isDirectory()) {
      mistakes.push(
        new KagurazakaError("input-root", `the input root ${inputPath} is not a directory`, {
          where: "hard_shard_mode.input_path",
        }),
      );
    }
  }
  for (const { outputRoot, stateDir } of paths) {
    const mistake = checkWritable(outputRoot, "hard_shard_mode.output_path") ?? checkWritable(stateDir, "--run-dir");
    if (mistake) mistakes.push(mistake);
  }
  return mistakes;
}

function checkWritable(dir: string | null, where: string): KagurazakaError | undefined {
  const why = dir === null ? undefined : notWritable(dir);
  return why === undefined
    ? undefined
    : new KagurazakaError("output-root", `cannot write to ${dir}: ${why}`, { where });
}

function nearestExisting(path: string): string {
  const parent = dirname(path);
  return existsSync(parent) ? `${parent} exists; the last name is missing in it.` : nearestExisting(parent);
}

/** Why nothing can be written below a directory that may not exist yet; undefined when it can. */
function notWritable(path: string): string | undefined {
  for (let at = path; ; at = dirname(at)) {
    const stat = statIfThere(at);
    if (stat === undefined && dirname(at) !== at) continue;
    if (!stat?.isDirectory()) return `${at} is not a directory`;
    try {
      accessSync(at, constants.W_OK | constants.X_OK);
      return undefined;
    } catch (error) {
      return `${at}: ${(error as NodeJS.ErrnoException).code === "EROFS" ? "read-only file system" : "permission denied"}`;
    }
  }
}

/** Undefined too where a file stands in the way: the walk upwards will meet it. */
function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

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
