// Preloaded (node --import): disables checkpoints, to measure their cost.
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  const { checkpointTimes } = await import(
    new URL("../../dist/src/runner/ledger/checkpoints/checkpoints.js", import.meta.url).href
  );
  Object.assign(checkpointTimes, { everyMs: 2 ** 31 - 1, worthMs: Number.POSITIVE_INFINITY });
}
