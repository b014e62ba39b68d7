import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { afterEach } from "vitest";

const realWrite = fs.writeSync;

/** From now on each write takes at most `most` bytes, and after `room` bytes the disk is full. Until the end of the test. */
export function limitDisk(room: number, most = Number.POSITIVE_INFINITY, spill = 0): void {
  fs.writeSync = ((fd: number, bytes: Uint8Array, at: number, length: number) => {
    if (room <= 0) {
      // A kernel that fails may have written a part all the same.
      if (spill > 0) realWrite(fd, bytes, at, Math.min(spill, length));
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    }
    const size = realWrite(fd, bytes, at, Math.min(length, room, most));
    room -= size;
    return size;
  }) as typeof fs.writeSync;
  syncBuiltinESMExports();
}

export function freeDisk(): void {
  fs.writeSync = realWrite;
  syncBuiltinESMExports();
}

afterEach(freeDisk);
