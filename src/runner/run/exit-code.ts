import { exitCodeOf, type KagurazakaError } from "../../base/errors.js";
import type { OutcomeCounts } from "../../contracts/outcome.js";

/**
 * 0 all well · 1 internal error · 3 finished, some failed · 4 failure budget · 5 stalled · 6 root in use · 7 environment.
 * Signals (130, 143) and usage (2) are the command line's to add.
 */
export function exitCodeOfRun(end: {
  error: KagurazakaError | undefined;
  counts: OutcomeCounts;
  allowed: boolean;
}): number {
  if (end.error) return exitCodeOf(end.error);
  return end.allowed ? 0 : 3;
}
