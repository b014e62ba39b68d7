import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * An unnamed file in which a spawner writes the pid of each program it starts. The worker reads it when the spawner has
 * exited, or when a program lives long. A message per program would wake the worker for every job.
 */
export class PidBoard implements Disposable {
  readonly fd: number;

  constructor() {
    const path = join(tmpdir(), `kagurazaka-pids-${randomBytes(8).toString("hex")}`);
    this.fd = openSync(path, "wx+", 0o600);
    unlinkSync(path);
  }

  /** The pid of a job, once its program runs. */
  pidOf({ id, slot }: { readonly id: number; readonly slot: number }): number | undefined {
    const cells = new Int32Array(2);
    const read = readSync(this.fd, cells, 0, cells.byteLength, slot * cells.byteLength);
    return read === cells.byteLength && cells[0] === id ? cells[1] : undefined;
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}
