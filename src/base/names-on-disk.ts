import { existsSync, lstatSync, readdirSync, realpathSync, type BigIntStats as Stats, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { OWN_DIRECTORY } from "./own-directory.js";

/** What one name is for every file system that folds names, but for case: Unicode normalization, blanks and dots at its end. */
export const plainName = (name: string): string => name.normalize("NFC").replace(/(?<=[^. ])[. ]+$/, "");

/** Names with the same folded name are one name on file systems that tell no upper from lower case. Also for POSIX paths. */
export const foldName = (path: string): string => path.split("/").map(plainName).join("/").toLowerCase();

/**
 * Whether a directory takes `A` and `a` for one name, as on macOS, exFAT or SMB. Asked with a name that is there: nothing is
 * written. False where the directory is empty.
 */
export function foldsNames(dir: string): boolean {
  if (existsSync(join(dir, OWN_DIRECTORY))) return isOtherSpelling(dir, OWN_DIRECTORY.toUpperCase());
  const names = namesIn(dir);
  const name = names.find((one) => otherCase(one) !== one && !names.includes(otherCase(one)));
  return name !== undefined && isOtherSpelling(dir, otherCase(name));
}

const otherCase = (name: string): string => (name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase());

/** Whether there is something of this name that the directory lists under another one. */
const isOtherSpelling = (dir: string, name: string): boolean =>
  existsSync(join(dir, name)) && !namesIn(dir).includes(name);

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** Whether two paths lead to one directory: through symbolic links, bind mounts, or in another case. */
export function isSameDirectory(a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [statOrNone(statSync, a), statOrNone(statSync, b)];
  if (!one || !other) return false;
  return isSameInode(one, other) || isOnePath(realpathSync(a), realpathSync(b));
}

/** The path of a directory below another one, by whatever names both are given: empty if they are one; undefined: elsewhere. */
export function pathBelow(root: string, dir: string): string | undefined {
  const real = realPathOrSame(dir);
  for (let at = real; ; at = dirname(at)) {
    if (isSameDirectory(at, root)) return relative(at, real);
    if (dirname(at) === at) return undefined;
  }
}

/**
 * Whether to replace what is at `path` would replace a file: the entry of a directory that `file` names, or that it leads to
 * through symbolic links. Another name of the same file (a hard link) is another entry.
 */
export function isSameEntry(path: string, file: string): boolean {
  const there = statOrNone(lstatSync, path);
  if (!there) return false;
  return [file, realPathOrSame(file)].some((one) => {
    const stat = statOrNone(lstatSync, one);
    if (!stat) return false;
    if (isSameInode(there, stat) && stat.nlink === 1n) return true;
    return isSameDirectory(dirname(path), dirname(one)) && isOneName(dirname(path), basename(path), basename(one));
  });
}

/** For names that fold to one: whether the file system takes them for one. Both are there, so it lists both if it does not. */
function isOneName(dir: string, a: string, b: string): boolean {
  if (a === b) return true;
  if (foldName(a) !== foldName(b)) return false;
  const names = namesIn(dir);
  return !(names.includes(a) && names.includes(b));
}

/** For real paths: some file systems give each spelling of a name an inode number of its own. */
function isOnePath(a: string, b: string): boolean {
  return a === b || (isOneName(dirname(a), basename(a), basename(b)) && isOnePath(dirname(a), dirname(b)));
}

const isSameInode = (a: Stats, b: Stats): boolean => a.ino === b.ino && a.dev === b.dev && a.ino !== 0n;

function statOrNone(stat: typeof statSync | typeof lstatSync, path: string): Stats | undefined {
  try {
    return stat(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function realPathOrSame(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
