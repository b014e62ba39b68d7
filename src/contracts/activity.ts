/**
 * Shared memory of one worker, from which the dispatcher reads which items run, even while the worker's loop is blocked.
 * Float64 cells:
 *
 *   [0] abort messages seen by the worker's loop
 *   then per slot s, at 1 + 3s:   [seq of the running item, 0 when idle] [started, ms] [last progress, ms]
 *
 * Times are `monotonicMs()` (one clock for all threads). Stores are not atomic across cells: a slot may change while it is
 * read, and is read again in the next sweep.
 */
export const activityLayout = {
  abortsSeen: 0,
  slot: (slot: number): number => 1 + 3 * slot,
  seq: 0,
  started: 1,
  progress: 2,
  bytes: (slots: number): number => 8 * (1 + 3 * slots),
} as const;

/** Where memory cannot be shared: called after `count` cells from `cell` on were written. */
export type ActivityWriter = (cell: number, count: number) => void;
