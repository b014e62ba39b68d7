// Preloaded (node --import): a run that never marks how far the disk has come, to see what the marks cost.
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  const { markTimes } = await import(new URL("../../dist/src/runner/run/sync-marks.js", import.meta.url).href);
  Object.assign(markTimes, { everyMs: 2 ** 31 - 1, worthMs: Number.POSITIVE_INFINITY });
}
