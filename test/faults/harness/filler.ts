import { closeSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";

/** What others have written to a disk. */
export interface Filler extends Disposable {
  readonly path: string;
}

/** Takes what room there is but `leave` kilobytes; disposed of, it gives all of it back. */
export function fillDisk(dir: string, leave = 0): Filler {
  const path = join(dir, "filler");
  const fd = openSync(path, "w");
  try {
    for (;;) {
      const { bavail, bsize } = statfsSync(dir);
      const size = Math.min(bavail * bsize - leave * 1024, 1 << 20);
      if (size <= 0) break;
      writeSync(fd, Buffer.alloc(size));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(fd);
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { force: true }) };
}
