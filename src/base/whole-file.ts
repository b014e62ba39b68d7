import { closeSync, fsyncSync, linkSync, renameSync, rmSync } from "node:fs";
import { environmentError, errnoOf, writeFully } from "./disk.js";
import { openOwn } from "./own-file.js";

interface StagingOptions {
  /** Where the file is written first, on the same file system. A killed process leaves it there. */
  readonly temporary: string;
  /** Waits until the bytes are on disk before they get their name; the directory is the caller's to sync. @defaultValue false */
  readonly durable?: boolean;
  /** Permissions, less the umask. @defaultValue 0o666 */
  readonly mode?: number;
}

/**
 * A file that appears as a whole: it is written under a temporary name, finished, and then gets its own by one system
 * call. Disposed without a name, it leaves nothing behind.
 */
export class StagedFile implements Disposable {
  readonly fd: number;
  readonly #options: StagingOptions;
  #isOpen = true;
  #isRenamed = false;

  /** @param flags `wx` where another process may be writing under the same temporary name */
  constructor(options: StagingOptions, flags: "w" | "wx" = "w") {
    this.#options = options;
    // What a killed process left goes, not what a planted link leads to.
    if (flags === "w") rmSync(options.temporary, { force: true });
    this.fd = openOwn(options.temporary, "new", options.mode);
  }

  write(text: string): void {
    writeText(this.fd, text);
  }

  /** Nothing is written after it. */
  finish(): void {
    if (this.#options.durable) fsyncSync(this.fd);
    this.#isOpen = false;
    closeSync(this.fd);
  }

  /** In place of what has that name. */
  renameTo(path: string): void {
    renameSync(this.#options.temporary, path);
    this.#isRenamed = true;
  }

  /** A second name, which nothing may have yet (EEXIST); the first one goes with the disposal. */
  linkTo(path: string): void {
    linkSync(this.#options.temporary, path);
  }

  [Symbol.dispose](): void {
    try {
      if (this.#isOpen) closeSync(this.fd);
      if (!this.#isRenamed) rmSync(this.#options.temporary, { force: true });
    } catch {
      // The error that ended the writing says what is wrong with the disk.
    }
  }
}

/** Replaces a small file as a whole: a reader sees the old or the new one. The directory must be there. */
export function replaceFile(path: string, text: string, options: StagingOptions): void {
  try {
    using file = new StagedFile(options);
    file.write(text);
    file.finish();
    file.renameTo(path);
  } catch (error) {
    throw environmentError("write", path, error);
  }
}

/**
 * Makes a small file under its own name, for one process only. A kill leaves a part of it, a failed write nothing.
 * @returns false where something has the name already
 */
export function createFile(path: string, text: string, durable = false): boolean {
  try {
    const fd = openOwn(path, "new");
    try {
      writeText(fd, text);
      if (durable) fsyncSync(fd);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw environmentError("write", path, error);
  }
}

const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/**
 * Makes a small file that appears with all its content, for one process only: it is written under the temporary name first.
 * @returns false where the name is taken already, or another process has removed the temporary file
 */
export function createWhole(path: string, text: string, temporary: string): boolean {
  using file = new StagedFile({ temporary }, "wx");
  file.write(text);
  file.finish();
  try {
    file.linkTo(path);
    return true;
  } catch (error) {
    const code = errnoOf(error) ?? "";
    if (code === "EEXIST" || code === "ENOENT") return false;
    if (!NO_LINKS.has(code)) throw error;
    // Without hard links: still for one process only, but the file is empty for a moment.
    return createFile(path, text);
  }
}

/** A disk that fills up may take a part of the bytes and call it success. */
function writeText(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  writeFully(fd, bytes, bytes.length);
}
