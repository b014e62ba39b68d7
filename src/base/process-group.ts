import { readFileSync } from "node:fs";
import { readNames } from "./read-names.js";

/** Kills a process group, if it still exists. */
export function killGroup(leaderPid: number | undefined): void {
  if (leaderPid !== undefined) kill(-leaderPid);
}

/** Kills the processes that one thread of this process has started and that still run. Only where there is /proc. */
export function killChildrenOf(tid: number): void {
  try {
    for (const pid of readFileSync(`/proc/self/task/${tid}/children`, "utf8").split(" "))
      if (pid !== "") kill(Number(pid));
  } catch {
    // The thread has ended.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It does not exist any more.
  }
}

/**
 * Kills every process with this mark in its environment, but for this one: for a worker whose coordinator has crashed. The
 * guardian does the same; it may have been killed first. Only where there is /proc.
 */
export function killProcessesOf(owner: string): void {
  for (const name of readNames("/proc")) {
    const pid = Number(name);
    if (Number.isInteger(pid) && pid !== process.pid && environmentOf(pid).includes(`KAGURAZAKA_OWNER=${owner}`))
      kill(pid);
  }
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    // It has ended, or belongs to another user.
    return [];
  }
}
