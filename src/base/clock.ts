import { performance } from "node:perf_hooks";

// performance.now() starts at zero in every thread; hrtime is one clock for all of them.
const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds on a clock that never jumps and is the same in all threads of this machine. */
export function monotonicMs(): number {
  return performance.now() + offset;
}

/** The longest time a timer takes: what is longer fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Resolves in the next turn of the event loop: lets messages, timers and signals in. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
