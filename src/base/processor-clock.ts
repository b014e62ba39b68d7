import { cpus } from "node:os";

/** Starts now. The result tells which share of this machine's processor time was idle since then, 0 to 1. */
export function startProcessorClock(): () => number {
  const first = timesOf();
  return () => {
    const now = timesOf();
    const all = now.all - first.all;
    return all === 0 ? 0 : (now.idle - first.idle) / all;
  };
}

function timesOf(): { all: number; idle: number } {
  const sums = { all: 0, idle: 0 };
  for (const { times } of cpus()) {
    sums.all += times.user + times.nice + times.sys + times.idle + times.irq;
    sums.idle += times.idle;
  }
  return sums;
}
