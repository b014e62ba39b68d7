import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { statIfThere } from "../base/disk.js";
import { KagurazakaError } from "../base/errors.js";
import { OWN_DIRECTORY } from "../base/own-directory.js";

export interface WalkOptions {
  /** Directory to walk. It may be a symlink itself. */
  readonly root: string;
  /** Directories to leave out with everything below; the root itself is never left out. @defaultValue none */
  readonly leaveOut?: readonly string[];
  /** Also names with a leading dot. `.kagurazaka` is left out in any case. @defaultValue false */
  readonly hidden?: boolean;
  /** Stops the walk at the next directory, by throwing the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Why a name in a directory is not listed. */
export type PassedOver = "hidden" | "a symbolic link to a directory or to nothing" | "neither file nor directory";

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
 * @param options.onPassedOver called for what is not listed for another reason than `match`; never for `.kagurazaka`
 * @throws KagurazakaError `input-root` when the root cannot be read, `generate-tasks` (with the path) for a directory below it
 */
export function* walkFiles(
  options: WalkOptions & {
    readonly match?: (name: string) => boolean;
    readonly onPassedOver?: (relPath: string, why: PassedOver) => void;
  },
): Generator<WalkedDirectory> {
  const { match, onPassedOver } = options;
  const leftOut = createLeftOut(options);
  const waiting = ["."];
  while (waiting.length > 0) {
    options.signal?.throwIfAborted();
    const relDir = waiting.pop()!;
    const entries = readDirectory(options.root, relDir);
    const names: string[] = [];
    const directories: string[] = [];
    for (const entry of entries) {
      const { name } = entry;
      if (name.charCodeAt(0) === DOT && !options.hidden) {
        if (name !== OWN_DIRECTORY) onPassedOver?.(joinRelative(relDir, name), "hidden");
      } else if (entry.isFile()) {
        if (match === undefined || match(name)) names.push(name);
      } else if (entry.isDirectory()) directories.push(name);
      else if (match === undefined || match(name)) {
        if (!entry.isSymbolicLink()) onPassedOver?.(joinRelative(relDir, name), "neither file nor directory");
        else if (isFile(join(options.root, relDir, name))) names.push(name);
        else onPassedOver?.(joinRelative(relDir, name), "a symbolic link to a directory or to nothing");
      }
    }
    pushReversed(waiting, relDir, sortNames(directories), leftOut);
    if (names.length > 0) yield { relDir, names: sortNames(names) };
  }
}

/**
 * The directories exactly `level` (≥ 1) levels below a root, one array per parent that has any, in the order and by the
 * rules of `walkFiles`.
 */
export function* walkDirectories(options: WalkOptions & { readonly level: number }): Generator<WalkedDirectory> {
  const leftOut = createLeftOut(options);
  const waiting: { relDir: string; level: number }[] = [{ relDir: ".", level: 1 }];
  while (waiting.length > 0) {
    options.signal?.throwIfAborted();
    const { relDir, level } = waiting.pop()!;
    const names = readDirectory(options.root, relDir)
      .filter((entry) => entry.isDirectory() && (options.hidden || entry.name.charCodeAt(0) !== DOT))
      .map((entry) => entry.name);
    const paths: string[] = [];
    pushReversed(paths, relDir, sortNames(names), leftOut);
    if (level < options.level) for (const path of paths) waiting.push({ relDir: path, level: level + 1 });
    else if (paths.length > 0) yield { relDir, names: paths.reverse().map((path) => basename(path)) };
  }
}

const DOT = 46;

/** `a/b` for `b` in `a`; `b` for `b` in the root. */
export function joinRelative(relDir: string, name: string): string {
  return relDir === "." ? name : `${relDir}/${name}`;
}

/** Pushes so that popping gives the names in order. */
function pushReversed(
  stack: string[],
  relDir: string,
  names: readonly string[],
  leftOut: (relDir: string) => boolean,
): void {
  for (let i = names.length - 1; i >= 0; i--) {
    const path = joinRelative(relDir, names[i]!);
    if (names[i] !== OWN_DIRECTORY && !leftOut(path)) stack.push(path);
  }
}

function readDirectory(root: string, relDir: string): Dirent[] {
  const path = relDir === "." ? root : `${root}/${relDir}`;
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    throw cannotList(path, error, relDir === ".");
  }
}

export function cannotList(path: string, cause: unknown, isRoot = false): KagurazakaError {
  const message = `cannot list the directory ${path}: ${(cause as Error).message}`;
  const hint = isRoot ? "Check the input path." : "Make it readable, or move it out of the input root.";
  return new KagurazakaError(isRoot ? "input-root" : "generate-tasks", message, { hint, cause });
}

/** Whether a symlink leads to a regular file. True also where it may not be followed, so that its item fails visibly. */
export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== "ENOENT" && code !== "ELOOP" && code !== "ENOTDIR";
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
  const stat = statIfThere(path);
  return stat !== undefined && stat.ino !== 0 && others.some(({ dev, ino }) => dev === stat.dev && ino === stat.ino);
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
