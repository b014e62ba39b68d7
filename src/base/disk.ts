import {
  close,
  closeSync,
  fdatasync,
  fsync,
  fsyncSync,
  open,
  openSync,
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
};

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

/** Writes all of `bytes[0, end)`, in as many writes as it takes; `wrote` is called after each. */
export function writeFully(fd: number, bytes: Uint8Array, end: number, wrote: (size: number) => void): void {
  let at = 0;
  while (at < end) {
    const size = writeSync(fd, bytes, at, end - at);
    at += size;
    wrote(size);
  }
}

/** A new or renamed file survives power loss only once its directory is on disk. */
export function syncDirectory(dir: string): void {
  const fd = openSync(dir, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Waits, without blocking the event loop, until the data of an open file is on disk. */
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
      // A directory that may not be read was not made by this run, so it needs no sync.
      if (!["EACCES", "EPERM", "EINVAL", "EROFS"].includes(errnoOf(error) ?? "")) throw error;
    }
    if (dirname(at) === at) return;
  }
}

export const errnoOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

/** Undefined where there is nothing at the path, also because a part of the path is a file. */
export function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
