import { performance } from "node:perf_hooks";

// performance.now() starts at zero in every thread; hrtime is the same clock in all threads.
const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds on a monotonic clock, the same in all threads and processes of this machine. */
export function monotonicMs(): number {
  return performance.now() + offset;
}

/** The longest delay of a timer. Node fires a timer with a longer one at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Resolves in the next turn of the event loop, after messages, timers and signals. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
