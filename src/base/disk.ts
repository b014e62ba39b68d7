import {
  close,
  closeSync,
  fdatasync,
  fsync,
  fsyncSync,
  open,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { KagurazakaError } from "./errors.js";

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EIO: "the device reports an input/output error",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  ENOENT: "the directory is gone",
  ENOTDIR: "a part of the path is not a directory",
  ESTALE: "the network file system has lost it",
  ENOMEM: "no memory is left",
  EAGAIN: "no more processes or threads can be started",
  ELOOP: "it is a symbolic link, and none is followed among files of kagurazaka",
};

const hints: Readonly<Record<string, string>> = {
  EMFILE: "Raise the limit (ulimit -n 4096), or use fewer workers.",
  ENFILE: "Close other programs, or raise the system's limit (sysctl fs.file-max).",
  EAGAIN: "Raise the limit (ulimit -u, or the container's limit of pids), or use fewer workers.",
  ENOMEM: "Use fewer workers, or give more memory.",
};

/**
 * An error of the system that says what is missing here, not what is wrong in this program: too few open files, a full disk, a
 * working directory that was removed. Undefined for all others.
 */
export function asEnvironmentError(thrown: unknown): KagurazakaError | undefined {
  if (KagurazakaError.is(thrown) || !(thrown instanceof Error)) return undefined;
  const { code = "", syscall, path } = thrown as NodeJS.ErrnoException;
  const details = { cause: thrown, ...(path === undefined ? {} : { where: path }) };
  if (syscall === "uv_cwd")
    return new KagurazakaError("environment", "the working directory is gone: it was removed or cannot be read", {
      ...details,
      hint: "Change to a directory that exists.",
    });
  // Some errors carry the code of the system only in their message, as where a thread cannot be started.
  const found = code in reasons ? code : (/\b(?:EMFILE|ENFILE|ENOSPC|ENOMEM|EAGAIN)\b/.exec(thrown.message)?.[0] ?? "");
  const hint = hints[found];
  if (found === "" || (found !== code && hint === undefined)) return undefined;
  const doing = syscall === undefined || found !== code ? "" : ` (${syscall}${path === undefined ? "" : ` ${path}`})`;
  return new KagurazakaError("environment", `${reasons[found]}${doing}`, { ...details, ...(hint ? { hint } : {}) });
}

/** The error for a file of ours that cannot be read or written, which stops the run. A KagurazakaError is returned as it is. */
export function environmentError(doing: string, path: string, cause: unknown): KagurazakaError {
  if (KagurazakaError.is(cause)) return cause;
  const error = cause as NodeJS.ErrnoException;
  const reason = reasons[error.code ?? ""] ?? error.message;
  return new KagurazakaError("environment", `cannot ${doing} ${path}: ${reason}`, {
    where: path,
    hint: "Everything recorded so far is kept. Fix this, then give the same command again.",
    cause,
  });
}

/** Writes all of `bytes[0, end)`, whatever the kernel takes at a time; `wrote` hears of every piece. */
export function writeFully(fd: number, bytes: Uint8Array, end: number, wrote?: (size: number) => void): void {
  for (let at = 0; at < end; ) {
    const size = writeSync(fd, bytes, at, end - at);
    at += size;
    wrote?.(size);
  }
}

/** Fills `bytes` from `position` of the file on (null: from where it was read last). @returns how many bytes there were */
export function readFully(fd: number, bytes: Uint8Array, position: number | null): number {
  let at = 0;
  for (let size = -1; size !== 0 && at < bytes.length; at += size)
    size = readSync(fd, bytes, at, bytes.length - at, position === null ? null : position + at);
  return at;
}

/** A file open for reading while `use` runs. */
export function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, "r");
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Waits until a file is on disk; or the names in a directory, without which a new or renamed file does not survive power loss. */
export const syncPath = (path: string): void => withFile(path, fsyncSync);

/** The names in a directory of ours, none where there is no such directory; `doing` completes "cannot … <dir>". */
export function listDirectory(doing: string, dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw environmentError(doing, dir, error);
  }
}

/** Waits, beside other work, until what was written to an open file is on disk. */
export const syncData = (fd: number): Promise<void> => promisify(fdatasync)(fd);

/** Syncs a directory and all of its parents: after a power loss, a file is found only if all directories on its path are. */
export async function syncUpwards(dir: string): Promise<void> {
  for (let at = dir; ; at = dirname(at)) {
    try {
      const fd = await promisify(open)(at, "r");
      try {
        await promisify(fsync)(fd);
      } finally {
        await promisify(close)(fd);
      }
    } catch (error) {
      if (!isOfOthers(error)) throw error;
    }
    if (dirname(at) === at) return;
  }
}

/** A directory that cannot be synced for such a reason is not one that was made for this run. */
export const isOfOthers = (error: unknown): boolean =>
  ["EACCES", "EPERM", "EINVAL", "EROFS"].includes(errnoOf(error) ?? "");

export const errnoOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

/** What a symbolic link says, where that is not there. */
export function targetOfBrokenLink(path: string): string | undefined {
  try {
    return statIfThere(path) ? undefined : readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Undefined where there is nothing at the path, also because a part of the path is a file. */
export function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
