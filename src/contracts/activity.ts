/**
 * Shared memory of one worker, so that the dispatcher sees what runs where without a message, even while the worker's
 * loop is blocked. Float64 cells:
 *
 *   [0] abort messages seen by the worker's loop
 *   then per slot s, at 1 + 3s:   [seq of the running item, 0 when idle] [started, ms] [last progress, ms]
 *
 * Times are `monotonicMs()` (one clock for all threads). Plain 64-bit stores: a reader may see a slot change between two
 * cells and looks again at its next sweep.
 */
export const activityLayout = {
  abortsSeen: 0,
  slot: (slot: number): number => 1 + 3 * slot,
  seq: 0,
  started: 1,
  progress: 2,
  bytes: (slots: number): number => 8 * (1 + 3 * slots),
} as const;

/** Where the activity is no shared memory: called when `count` cells from `cell` on have been written. */
export type ActivityWriter = (cell: number, count: number) => void;
