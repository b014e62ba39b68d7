import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync } from "node:fs";

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** `new`: nothing may have the name yet (EEXIST); writes append. */
const flagsOf = { read: O_RDONLY, new: O_WRONLY | O_APPEND | O_CREAT | O_EXCL } as const;

/**
 * Opens a file of ours. A tree may come from an archive: no symbolic link is followed (ELOOP), and a pipe or a device, which
 * might wait or do something, is an error.
 * @param mode permissions of a new file, less the umask
 */
export function openOwn(path: string, how: keyof typeof flagsOf, mode?: number): number {
  const fd = openSync(path, flagsOf[how] | O_NOFOLLOW | O_NONBLOCK, mode);
  const stat = fstatSync(fd);
  // Reading a directory is an error of its own.
  if (stat.isFile() || stat.isDirectory()) return fd;
  closeSync(fd);
  throw new Error("it is not a regular file");
}

/** A file of ours open for reading while `use` runs. */
export function withOwnFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openOwn(path, "read");
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** A small file of ours as text. */
export const readOwn = (path: string): string => withOwnFile(path, (fd) => readFileSync(fd, "utf8"));

/** The names in a directory of ours, sorted; none where it cannot be read or is a symbolic link. */
export function readOwnNames(dir: string): string[] {
  try {
    return lstatSync(dir).isDirectory() ? readdirSync(dir).sort() : [];
  } catch {
    return [];
  }
}
