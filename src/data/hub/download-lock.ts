import { rmSync, statSync, utimesSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { environmentError } from "../../base/disk.js";
import { makeDirectory } from "../../base/make-directory.js";
import { createFile } from "../../base/whole-file.js";

interface Waiting {
  /** How often the one at work shows that it lives. @defaultValue 2000 */
  readonly beatMs?: number;
  /** After so long without a sign the lock is that of a process that was killed. @defaultValue 20000 */
  readonly staleMs?: number;
}

const POLL_MS = 100;

/**
 * Does a work that one process or thread of those that share a disk is enough for; the others wait until it is done, and do it
 * themselves where it failed. That two do it is unlikely, but possible (a lock that goes stale): the work must allow it.
 */
export async function doOnce(
  lock: string,
  isDone: () => boolean,
  work: () => Promise<void>,
  { beatMs = 2000, staleMs = 20_000 }: Waiting = {},
): Promise<void> {
  try {
    makeDirectory(dirname(lock));
  } catch (error) {
    throw environmentError("make", dirname(lock), error);
  }
  let seen: number | undefined;
  let since = performance.now();
  while (!createFile(lock, "")) {
    // Its own clock alone: the disk may be another machine's.
    const beat = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (beat !== seen) [seen, since] = [beat, performance.now()];
    else if (performance.now() - since > staleMs) rmSync(lock, { force: true });
    await sleep(POLL_MS);
    if (isDone()) return;
  }
  const beating = setInterval(() => beat(lock), beatMs).unref();
  try {
    if (!isDone()) await work();
  } finally {
    clearInterval(beating);
    rmSync(lock, { force: true });
  }
}

function beat(lock: string): void {
  try {
    utimesSync(lock, new Date(), new Date());
  } catch {
    // Another process took it for stale: both go on.
  }
}
