import { existsSync, lstatSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { checkLine } from "../../base/checksum.js";
import { errnoOf } from "../../base/disk.js";
import { KagurazakaError } from "../../base/errors.js";
import { isSameDirectory } from "../../base/names-on-disk.js";
import { readOwn, readOwnNames } from "../../base/own-file.js";
import { realPathOf } from "../../data/files/walk.js";
import { folderOf, plainFolderOf } from "./state-folder.js";

/**
 * `state.json` says whose a state directory is: of one task and one output root. Results of another root or task would count
 * as finished here. A directory of an older version has none; it becomes that of the next run.
 */
interface StateOwner {
  readonly v: 1;
  readonly task: string;
  /** The output root as seen from the state directory, so that both can be moved together; null: the task writes no files. */
  readonly root: string | null;
  /** Where the root is elsewhere: its real path, and what stays the same when it alone is moved. */
  readonly path?: string;
  readonly inode?: string;
}

/** See `ShardPaths`. */
export interface OwnedPaths {
  readonly taskDir: string;
  readonly stateDir: string;
  readonly outputRoot: string | null;
}

export const stateFileIn = (stateDir: string): string => join(stateDir, "state.json");

/** Why this task must not use this state directory with this output root; undefined: it may. */
export function findOtherOwner(paths: OwnedPaths, task: string): KagurazakaError | undefined {
  const owner = readOwner(paths.stateDir);
  if (typeof owner !== "object") return undefined;
  const { stateDir } = paths;
  if (owner.task !== task && leadsTo(paths.taskDir, owner.task))
    return other(
      stateDir,
      `the state in ${stateDir} is of the task ${owner.task}, whose name makes the same directory`,
      [`Give one of the tasks another name (static id = "…"), or use another --run-dir.`],
    );
  if (isSameRoot(owner, paths)) return undefined;
  const theirs =
    owner.root === null ? "of a task that writes no files" : `of the output root ${pathOf(owner, stateDir)}`;
  const ours = paths.outputRoot === null ? "this run has no output root" : `this run writes to ${paths.outputRoot}`;
  return other(stateDir, `the state in ${stateDir} is ${theirs}; ${ours}`, [
    "Give each output root a --run-dir of its own.",
    `If it is the same root, moved, remove ${stateFileIn(stateDir)} and give the same command again.`,
  ]);
}

function other(where: string, message: string, hints: readonly string[]): KagurazakaError {
  return new KagurazakaError("other-state", message, { where, hint: hints.join(" ") });
}

/** The file where it is there and not as it was written. */
export const damagedOwnerFile = (stateDir: string): string | undefined =>
  readOwner(stateDir) === "damaged" ? stateFileIn(stateDir) : undefined;

/** Whether all runs in a state directory were of this task. */
function isAllOf(stateDir: string, task: string): boolean {
  const owner = readOwner(stateDir);
  if (typeof owner === "object") return owner.task === task;
  const tasks = new Set(tasksIn(stateDir));
  return tasks.size === 1 && tasks.has(task);
}

/** The tasks of the runs in a state directory, or in those of its shards. */
export function tasksIn(stateDir: string): string[] {
  const shards = readOwnNames(stateDir).filter((name) => name.startsWith("shard-"));
  const runsDirs = [stateDir, ...shards.map((name) => join(stateDir, name))].map((dir) => join(dir, "runs"));
  const runs = runsDirs.flatMap((dir) => readOwnNames(dir).map((run) => join(dir, run, "run.json")));
  return [...new Set(runs.flatMap((path) => taskOf(path) ?? []))];
}

function taskOf(path: string): string | undefined {
  try {
    const { task } = JSON.parse(readOwn(path)) as { readonly task?: unknown };
    return typeof task === "string" ? task : undefined;
  } catch {
    // The run was killed while it wrote the file.
    return undefined;
  }
}

export function ownerOf({ stateDir, outputRoot }: OwnedPaths, task: string): StateOwner {
  if (outputRoot === null) return { v: 1, task, root: null };
  const [state, path] = [realPathOf(stateDir), realPathOf(outputRoot)];
  const root = relative(state, path) || ".";
  // Below its root it goes with it.
  if (/^\.\.(?:\/\.\.)*$/.test(root)) return { v: 1, task, root };
  const inode = inodeOf(path);
  return { v: 1, task, root, path, ...(inode === undefined ? {} : { inode }) };
}

function isSameRoot({ root, path, inode }: StateOwner, { stateDir, outputRoot }: OwnedPaths): boolean {
  if (root === null || outputRoot === null) return root === outputRoot;
  const [state, real] = [realPathOf(stateDir), realPathOf(outputRoot)];
  if (real === realPathOf(resolve(state, root)) || real === path) return true;
  return inode !== undefined && inode === inodeOf(real);
}

const pathOf = ({ root, path }: StateOwner, stateDir: string): string => path ?? resolve(realPathOf(stateDir), root!);

/** Inode numbers are used again, but not with the same time of birth. */
function inodeOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat?.ino && stat.birthtimeNs ? `${stat.ino} ${stat.birthtimeNs}` : undefined;
}

export function readOwner(stateDir: string): StateOwner | "damaged" | undefined {
  const path = stateFileIn(stateDir);
  try {
    // A pipe would never end.
    if (!lstatSync(path).isFile()) return "damaged";
    const line = readOwn(path).trimEnd();
    const bytes = Buffer.from(line);
    if (checkLine(bytes, 0, bytes.length) !== "sound") return "damaged";
    const { c: _, ...owner } = JSON.parse(line) as StateOwner & { readonly c: string };
    return owner;
  } catch (error) {
    return errnoOf(error) === "ENOENT" ? undefined : "damaged";
  }
}

/** Whether the name of a task makes this directory; else the directory was renamed, along with its task. */
const leadsTo = (taskDir: string, task: string): boolean =>
  [folderOf(task), plainFolderOf(task)].some((name) => isSameDirectory(join(dirname(taskDir), name), taskDir));

/**
 * The directory of a task below `base`. What older versions wrote in one that several names may share stays the task's, if all
 * of it is.
 */
export function taskDirIn(base: string, task: string): string {
  const [own, plain] = [join(base, folderOf(task)), join(base, plainFolderOf(task))];
  return own !== plain && !existsSync(own) && isAllOf(plain, task) ? plain : own;
}
