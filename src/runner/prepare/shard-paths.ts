import { accessSync, constants, existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { errnoOf, statIfThere } from "../../base/disk.js";
import { KagurazakaError } from "../../base/errors.js";
import { hashText, nameOfHash } from "../../base/hash.js";
import { findForeign, OWN_DIRECTORY } from "../../base/own-directory.js";
import type { Root } from "../../contracts/modes.js";
import { realPathOf } from "../../data/files/walk.js";
import { findOtherOwner, taskDirIn } from "./state-owner.js";

/** The files and directories of one hard shard of a task. */
export interface ShardPaths {
  readonly outputRoot: string | null;
  /** The user chose it. All of ours lies below it or below the output root, where no symbolic link is followed. */
  readonly stateRoot: string;
  /** Named after the task; holds the state directories of its shards, where these are not in their own roots. */
  readonly taskDir: string;
  /** `<output_root>/.kagurazaka/<task id>`, or below `--run-dir`, or below the working directory. */
  readonly stateDir: string;
  readonly ledgerDir: string;
  readonly leaseDir: string;
  readonly runsDir: string;
  readonly failedFile: string;
  readonly statsFile: string;
  /** Staging and kept directories are below it, on the worker's side too: the output root, where there is one. */
  readonly base: string;
  /** Below the output root, so that a rename never crosses a file system. */
  readonly stagingRoot: string;
  /** Of `ctx.keptDir`s. Below the output root, because their files are renamed into place as well. */
  readonly keptRoot: string;
  /** Holds the in-flight journal. */
  readonly inFlightDir: string;
}

/** One per hard shard. Below `--run-dir`, and where no files are written, each of several shards has a directory of its own. */
export function resolveShardPaths(taskId: string, roots: readonly Root[], runDir: string | undefined): ShardPaths[] {
  const shards: readonly (Root | undefined)[] = roots.length === 0 ? [undefined] : roots;
  return shards.map((root) => {
    const outputRoot = root?.outputPath ?? null;
    const common = runDir !== undefined || outputRoot === null;
    const stateRoot = runDir === undefined ? (outputRoot ?? process.cwd()) : resolve(runDir);
    const base = runDir === undefined ? join(stateRoot, OWN_DIRECTORY) : stateRoot;
    const taskDir = taskDirIn(base, taskId);
    const stateDir = common && shards.length > 1 ? join(taskDir, shardName(root!)) : taskDir;
    return { ...pathsIn(taskDir, stateDir, outputRoot), stateRoot };
  });
}

/** From the input path, so that a run over another selection of shards finds the same state. */
const shardName = ({ inputPath }: Root): string => `shard-${nameOfHash(hashText(inputPath)).slice(0, 12)}`;

function pathsIn(taskDir: string, stateDir: string, outputRoot: string | null): Omit<ShardPaths, "stateRoot"> {
  return {
    outputRoot,
    taskDir,
    stateDir,
    ledgerDir: join(stateDir, "ledger"),
    leaseDir: join(stateDir, "lease"),
    runsDir: join(stateDir, "runs"),
    failedFile: join(stateDir, "failed.jsonl"),
    statsFile: join(stateDir, "stats.json"),
    inFlightDir: join(stateDir, "under-way"),
    base: outputRoot ?? stateDir,
    stagingRoot: outputRoot === null ? join(stateDir, "staging") : join(outputRoot, OWN_DIRECTORY, "staging"),
    keptRoot:
      outputRoot === null ? join(stateDir, "kept") : join(outputRoot, OWN_DIRECTORY, "kept", basename(stateDir)),
  };
}

/** Mistakes about directories, found before anything is written. */
export function checkRoots(
  roots: readonly Root[],
  readsInputRoot: boolean,
  paths: readonly ShardPaths[],
  task: string,
): KagurazakaError[] {
  const unreadable = readsInputRoot ? roots.flatMap(({ inputPath }) => checkReadable(inputPath)) : [];
  const unwritable = paths.flatMap(
    (one) =>
      checkWritable(one.outputRoot, "hard_shard_mode.output_path") ??
      findForeignIn(one) ??
      checkWritable(one.stateDir, "--run-dir") ??
      [],
  );
  // Shards below one --run-dir may have one mistake in common.
  const distinct = new Map(unwritable.map((mistake) => [mistake.message, mistake]));
  const ofOthers = paths.flatMap((one) => findOtherOwner(one, task) ?? []);
  return [...unreadable, ...distinct.values(), ...checkDistinct(roots), ...ofOthers];
}

/** Shards with one output root, under whatever names, would replace each other's outputs. */
function checkDistinct(roots: readonly Root[]): KagurazakaError[] {
  const known = new Map<string, string>();
  for (const { outputPath } of roots) {
    if (outputPath === null) continue;
    const stat = statIfThere(outputPath);
    // Some file systems have no inode numbers.
    const name = stat?.ino ? `${stat.dev}:${stat.ino}` : realPathOf(outputPath);
    const other = known.get(name);
    known.set(name, outputPath);
    if (other === undefined) continue;
    const where = "hard_shard_mode";
    const message = `two shards have one output root: ${other}${other === outputPath ? "" : ` is ${outputPath}`}`;
    return [new KagurazakaError("output-root", message, { where, hint: "Give each shard an output root of its own." })];
  }
  return [];
}

/** The first of our directories that is none, or not ours. */
function findForeignIn(paths: ShardPaths): KagurazakaError | undefined {
  const { base, stateRoot, stagingRoot, keptRoot, ledgerDir, leaseDir, runsDir, inFlightDir } = paths;
  for (const dir of [ledgerDir, leaseDir, runsDir, inFlightDir]) {
    const found = findForeign(stateRoot, dir);
    if (found) return found;
  }
  return findForeign(base, stagingRoot) ?? findForeign(base, keptRoot);
}

function checkReadable(inputPath: string): KagurazakaError[] {
  const where = "hard_shard_mode.input_path";
  const stat = statIfThere(inputPath);
  if (stat?.isDirectory()) return [];
  if (stat) return [new KagurazakaError("input-root", `the input root ${inputPath} is not a directory`, { where })];
  const hint = nearestExisting(inputPath);
  return [new KagurazakaError("input-root", `the input root ${inputPath} does not exist`, { where, hint })];
}

function checkWritable(dir: string | null, where: string): KagurazakaError | undefined {
  const why = dir === null ? undefined : notWritable(dir);
  return why === undefined ? why : new KagurazakaError("output-root", `cannot write to ${dir}: ${why}`, { where });
}

function nearestExisting(path: string): string {
  const parent = dirname(path);
  return existsSync(parent) ? `${parent} exists; the last name is missing in it.` : nearestExisting(parent);
}

/** Why a directory, which may not exist yet, cannot be written; undefined when it can. */
function notWritable(path: string): string | undefined {
  for (let at = path; ; at = dirname(at)) {
    const stat = statIfThere(at);
    if (stat === undefined && dirname(at) !== at) continue;
    if (!stat?.isDirectory()) return `${at} is not a directory`;
    try {
      accessSync(at, constants.W_OK | constants.X_OK);
      return undefined;
    } catch (error) {
      return `${at}: ${errnoOf(error) === "EROFS" ? "read-only file system" : "permission denied"}`;
    }
  }
}
