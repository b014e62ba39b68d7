import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { statIfThere } from "../../base/disk.js";
import { KagurazakaError } from "../../base/errors.js";
import { OWN_DIRECTORY } from "../../base/own-directory.js";

export interface WalkOptions {
  /** Directory to walk. It may be a symlink itself. */
  readonly root: string;
  /** Directories to leave out with everything below; the root itself is never left out. @defaultValue none */
  readonly leaveOut?: readonly string[];
  /** Also names with a leading dot. `.kagurazaka` is left out in any case. @defaultValue false */
  readonly hidden?: boolean;
  /** Stops the walk at the next directory, by throwing the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called for what is not listed for another reason than the caller's choice; never for what is kagurazaka's own. */
  readonly onPassedOver?: (relPath: string, why: PassedOver) => void;
  /** Called for a directory below the root that cannot be listed; the walk goes on. @defaultValue the walk throws */
  readonly onUnreadable?: (relDir: string, cause: unknown) => void;
}

/** Why a name in a directory is not listed. */
export type PassedOver =
  | "hidden"
  | "a symbolic link to a directory"
  | "a symbolic link to nothing"
  | "neither file nor directory";

/** Names in one directory, sorted by code point. `relDir` is POSIX and relative to the root, `.` for the root itself. */
export interface WalkedDirectory {
  readonly relDir: string;
  readonly names: string[];
}

/**
 * The regular files under a root, one array per directory that has any: a directory's own files first, then its
 * subdirectories in order, depth first; names sorted by code point everywhere. Symlinks to regular files count as
 * files, symlinked directories are not entered, dangling links are passed over. Memory: the names of one directory, plus
 * the subdirectories still to be entered on the way down to it.
 *
 * @param options.match keeps a file by its name; all when left out
 * @throws KagurazakaError `input-root` when the root cannot be read, `generate-tasks` (with the path) for a directory below it
 */
export function* walkFiles(
  options: WalkOptions & { readonly match?: (name: string) => boolean },
): Generator<WalkedDirectory> {
  const wants: Wants = { file: options.match ?? (() => true), directory: () => true };
  const leftOut = createLeftOut(options);
  const waiting = ["."];
  while (waiting.length > 0) {
    options.signal?.throwIfAborted();
    const relDir = waiting.pop()!;
    const { files, directories } = listDirectory(options, relDir, leftOut, wants);
    for (const name of directories.reverse()) waiting.push(joinRelative(relDir, name));
    if (files.length > 0) yield { relDir, names: files };
  }
}

/**
 * The directories exactly `level` (≥ 1) levels below a root, one array per parent that has any, in the order and by the
 * rules of `walkFiles`.
 */
export function* walkDirectories(options: WalkOptions & { readonly level: number }): Generator<WalkedDirectory> {
  const wants: Wants = { file: () => false, directory: () => true };
  const leftOut = createLeftOut(options);
  const waiting: { relDir: string; level: number }[] = [{ relDir: ".", level: 1 }];
  while (waiting.length > 0) {
    options.signal?.throwIfAborted();
    const { relDir, level } = waiting.pop()!;
    const { directories } = listDirectory(options, relDir, leftOut, wants);
    if (level === options.level) {
      if (directories.length > 0) yield { relDir, names: directories };
    } else {
      for (const name of directories.reverse()) waiting.push({ relDir: joinRelative(relDir, name), level: level + 1 });
    }
  }
}

/** Which names in a directory are wanted, should they be files or directories. */
interface Wants {
  file(name: string): boolean;
  directory(name: string): boolean;
}

/** The wanted names in one directory, sorted by code point. */
export function listDirectory(
  options: WalkOptions,
  relDir: string,
  leftOut: (relDir: string) => boolean,
  wants: Wants,
): { readonly files: string[]; readonly directories: string[] } {
  const { root, hidden, onPassedOver } = options;
  const files: string[] = [];
  const directories: string[] = [];
  for (const entry of readDirectory(options, relDir)) {
    const { name } = entry;
    if (name.charCodeAt(0) === DOT && !hidden) {
      if (name !== OWN_DIRECTORY) onPassedOver?.(joinRelative(relDir, name), "hidden");
    } else if (entry.isFile()) {
      if (wants.file(name)) files.push(name);
    } else if (entry.isDirectory()) {
      if (name !== OWN_DIRECTORY && wants.directory(name) && !leftOut(joinRelative(relDir, name)))
        directories.push(name);
    } else {
      const isWanted = wants.file(name);
      if (!isWanted && !(onPassedOver && entry.isSymbolicLink() && wants.directory(name))) continue;
      const kind = entry.isSymbolicLink() ? targetOf(join(root, relDir, name)) : "neither file nor directory";
      if (kind === "file") {
        if (isWanted) files.push(name);
      } else if (isWanted || kind === "a symbolic link to a directory") {
        onPassedOver?.(joinRelative(relDir, name), kind);
      }
    }
  }
  return { files: sortNames(files), directories: sortNames(directories) };
}

const DOT = 46;

/** `a/b` for `b` in `a`; `b` for `b` in the root. */
export function joinRelative(relDir: string, name: string): string {
  return relDir === "." ? name : `${relDir}/${name}`;
}

function readDirectory({ root, onUnreadable }: WalkOptions, relDir: string): Dirent[] {
  const path = relDir === "." ? root : `${root}/${relDir}`;
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return relDir !== "." && areOfState(path, entries) ? [] : entries;
  } catch (error) {
    if (relDir === "." || !onUnreadable) throw cannotList(path, error, relDir === ".");
    onUnreadable(relDir, error);
    return [];
  }
}

/** In a directory with the state of a task, which `--run-dir` may have put anywhere. Its runs tell it from folders of such names. */
function areOfState(dir: string, entries: readonly Dirent[]): boolean {
  if (!stateNames.every((name) => entries.some((entry) => entry.name === name && entry.isDirectory()))) return false;
  return readdirSync(`${dir}/runs`).some((name) => RUN_ID.test(name));
}

const RUN_ID = /^\d{8}T\d{6}Z-[\da-f]{6}$/;

/** Whether a directory holds nothing but the state of tasks; those named need not be complete. */
export function holdsOnlyState(dir: string, states: readonly string[]): boolean {
  try {
    return readdirSync(dir).every((name) => {
      const path = join(dir, name);
      return states.includes(path) || areOfState(path, readdirSync(path, { withFileTypes: true }));
    });
  } catch {
    // It has a file, or is not there.
    return false;
  }
}

const stateNames = ["ledger", "lease", "runs"];

export function cannotList(path: string, cause: unknown, isRoot = false): KagurazakaError {
  const message = `cannot list the directory ${path}: ${(cause as Error).message}`;
  const hint = isRoot ? "Check the input path." : "Make it readable, or move it out of the input root.";
  return new KagurazakaError(isRoot ? "input-root" : "generate-tasks", message, { hint, cause });
}

/** What a symbolic link leads to. A file also where it may not be followed, so that its item fails visibly. */
function targetOf(path: string): "file" | Exclude<PassedOver, "hidden"> {
  try {
    const stat = statSync(path);
    if (stat.isFile()) return "file";
    return stat.isDirectory() ? "a symbolic link to a directory" : "neither file nor directory";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ELOOP" || code === "ENOTDIR" ? "a symbolic link to nothing" : "file";
  }
}

const MAYBE_ASTRAL = /[\ud800-\udfff]/;

/** Sorts in place by code point, as bytes of UTF-8 sort: surrogates (U+10000 and up) after U+E000 to U+FFFF, unlike UTF-16 order. */
export function sortNames(names: string[]): string[] {
  if (names.length < 2) return names;
  return names.some((name) => MAYBE_ASTRAL.test(name)) ? names.sort(compareCodePoints) : names.sort();
}

/** Negative, zero or positive, by code point. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    // Moves surrogates above the rest of the plane: the code points that they encode are higher.
    if (x !== y) return (isSurrogate(x) ? x + 0x1_0000 : x) - (isSurrogate(y) ? y + 0x1_0000 : y);
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

/**
 * Whether a directory is left out, by its path relative to the root. It does not matter by which symlinks the root was reached:
 * no symlinked directory is ever entered, hence a real path below the real root is the path of the walk. A directory that was
 * reached by a bind mount or in another case is told by its inode. The directories to leave out need not exist yet.
 */
export function createLeftOut({ root, leaveOut }: Pick<WalkOptions, "root" | "leaveOut">): (relDir: string) => boolean {
  if (leaveOut === undefined || leaveOut.length === 0) return () => false;
  const real = realPathOf(root);
  const paths = leaveOut.map((path) => relative(real, realPathOf(path)));
  const left = new Set(paths);
  const elsewhere = leaveOut.flatMap((path, i) => (paths[i]!.startsWith("..") ? (statIfThere(path) ?? []) : []));
  return (relDir) => left.has(relDir) || (elsewhere.length > 0 && isOneOf(elsewhere, join(root, relDir)));
}

function isOneOf(others: readonly Stats[], path: string): boolean {
  try {
    const stat = statIfThere(path);
    return stat !== undefined && stat.ino !== 0 && others.some(({ dev, ino }) => dev === stat.dev && ino === stat.ino);
  } catch {
    // It cannot be listed either, which says why.
    return false;
  }
}

/** The real path, also of what is not there yet. */
export function realPathOf(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(realPathOf(parent), basename(absolute));
  }
}
