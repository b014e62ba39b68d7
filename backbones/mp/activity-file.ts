import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ActivityWriter, KagurazakaError } from "../../src/kit.js";

const CELL_BYTES = 8;
/** Room for the activity of 2,700 items at once. */
const RESERVED_BYTES = 64 * 1024;

/**
 * The activity of a worker process. Node cannot share memory between processes, but a file that both have open serves as such:
 * a write is visible at once, and survives a crash of the writer. The file is unlinked before the worker starts, so it
 * disappears with the two processes, however they end.
 */
export class ActivityFile implements Disposable {
  readonly fd: number;
  #open = true;

  constructor(dirs: readonly string[] = ["/dev/shm", tmpdir()]) {
    this.fd = openNameless(dirs);
  }

  /** Brings the coordinator's copy up to date. */
  readInto(activity: SharedArrayBuffer): void {
    if (this.#open) readSync(this.fd, new Uint8Array(activity), 0, activity.byteLength, 0);
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.fd);
    this.#open = false;
  }
}

/** In the first directory with room for it. On a full disk a file can be made, but the worker would fail to write to it. */
function openNameless(dirs: readonly string[]): number {
  let failure: unknown;
  for (const dir of dirs) {
    const path = join(dir, `kagurazaka-activity-${randomBytes(8).toString("hex")}`);
    let fd: number | undefined;
    try {
      fd = openSync(path, "wx+", 0o600);
      unlinkSync(path);
      reserve(fd);
      return fd;
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      failure = error;
    }
  }
  const message = `cannot make a file in ${dirs.join(" or ")}, which worker processes need: ${(failure as Error).message}`;
  throw new KagurazakaError("environment", message, { cause: failure });
}

function reserve(fd: number): void {
  const zeros = new Uint8Array(RESERVED_BYTES);
  // A nearly full disk takes a part of the bytes; only the next write fails.
  for (let at = 0; at < zeros.length; ) at += writeSync(fd, zeros, at, zeros.length - at, at);
}

/** The worker's side: copies cells from its memory to the file. */
export function activityWriterTo(fd: number, activity: SharedArrayBuffer): ActivityWriter {
  const bytes = new Uint8Array(activity);
  return (cell, count) => {
    writeSync(fd, bytes, cell * CELL_BYTES, count * CELL_BYTES, cell * CELL_BYTES);
  };
}
