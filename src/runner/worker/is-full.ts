import { rmSync, statfsSync, writeFileSync } from "node:fs";

/** With more than that it is not looked any closer. */
const PLENTY_BYTES = 1024 * 1024;
const PLENTY_FILES = 16;
/** Who has not even that much room can make nothing worth keeping. */
const PROBE_BYTES = 64 * 1024;

/**
 * Whether there is no room where `path` would lie. Asked when an item has failed: a program or a native library that finds
 * no room says so in words of its own. Where little is left, a file is made to find out: what the system keeps back for
 * root, and whether files can be made at all, no number tells.
 */
export function isFull(dir: string, path: string): boolean {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(dir);
    if (bavail * bsize > PLENTY_BYTES && (files === 0 || ffree > PLENTY_FILES)) return false;
    return !mayWrite(path);
  } catch {
    // Whoever cannot be asked has not said that it is full.
    return false;
  }
}

function mayWrite(path: string): boolean {
  try {
    writeFileSync(path, Buffer.alloc(PROBE_BYTES));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== "ENOSPC" && code !== "EDQUOT";
  } finally {
    rmSync(path, { force: true });
  }
}
