import { randomUUID } from "node:crypto";
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * What programs print, kept in files that are reused and have no name: a pipe through this process would cost more than
 * most programs, and a file without a name is gone with the process however it ends. Looked at only when not empty.
 */
export class Captures {
  readonly #free: number[] = [];
  readonly #all: number[] = [];

  /** A descriptor for a program to write to. It appends: it may be both streams, or one that is opened twice. */
  take(): number {
    const fd = this.#free.pop();
    if (fd !== undefined) return fd;
    const path = join(tmpdir(), `kagurazaka-exec-${randomUUID()}`);
    const made = openSync(path, "ax+", 0o600);
    unlinkSync(path);
    this.#all.push(made);
    return made;
  }

  /** The end of what was written, and how many bytes came before it. */
  read(fd: number, maxBytes: number): { text: string; leftOut: number } {
    const { size } = fstatSync(fd);
    if (size === 0) return { text: "", leftOut: 0 };
    const bytes = Buffer.alloc(Math.min(size, maxBytes));
    const from = size - bytes.length;
    const read = readSync(fd, bytes, 0, bytes.length, from);
    // A character that was cut in two is left out whole.
    let start = 0;
    while (from > 0 && start < 3 && (bytes[start]! & 0xc0) === 0x80) start++;
    return { text: bytes.toString("utf8", start, read), leftOut: from + start };
  }

  /** Empty again, for the next one. */
  give(fd: number): void {
    if (fstatSync(fd).size > 0) ftruncateSync(fd, 0);
    this.#free.push(fd);
  }

  close(): void {
    for (const fd of this.#all.splice(0)) closeSync(fd);
    this.#free.length = 0;
  }
}
