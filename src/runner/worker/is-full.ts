import { rmSync, statfsSync, writeFileSync } from "node:fs";

/** With more free space than this the disk counts as not full. */
const PLENTY_BYTES = 1024 * 1024;
const PLENTY_FILES = 16;
/** With less free space than this the disk counts as full. */
const PROBE_BYTES = 64 * 1024;

/**
 * Whether the disk of `path` is full. Checked when an item has failed, because programs and native libraries report a full
 * disk in their own words. With little space left a probe file is written: free-space numbers do not show the reserve for
 * root, quotas or a lack of inodes.
 */
export function isFull(dir: string, path: string): boolean {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(dir);
    if (bavail * bsize > PLENTY_BYTES && (files === 0 || ffree > PLENTY_FILES)) return false;
    return !mayWrite(path);
  } catch {
    // Without an answer from statfs the disk counts as not full.
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
