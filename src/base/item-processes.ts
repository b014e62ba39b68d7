import { killGroup } from "./process-group.js";

/** To be told of process groups that must not outlive the coordinator. */
interface Guard {
  add(leaderPid: number): void;
  remove(leaderPid: number): void;
}

/** What the worker itself has started, and not one of its items. */
const OF_THE_WORKER = 0;

/** Process groups that items of one worker have started, by the item's sequence number; for a backbone on this machine. */
export interface OpenItemProcesses {
  add(seq: number, leaderPid: number): void;
  release(seq: number): void;
  killAll(): void;
}

export function openItemProcesses(guard: Guard): OpenItemProcesses {
  const groups = new Map<number, number[]>();
  let isOver = false;
  const release = (seq: number): void => {
    if (groups.size === 0) return;
    for (const pid of groups.get(seq) ?? []) guard.remove(pid);
    groups.delete(seq);
  };
  return {
    add(seq, leaderPid) {
      // The message that tells of a process may come after the order to end them all.
      if (isOver && seq !== OF_THE_WORKER) return killGroup(leaderPid);
      guard.add(leaderPid);
      const pids = groups.get(seq);
      if (pids) pids.push(leaderPid);
      else groups.set(seq, [leaderPid]);
    },
    release,
    killAll() {
      isOver = true;
      for (const [seq, pids] of groups) {
        // A process of the worker itself ends when it finds the worker gone, and its own children first.
        if (seq !== OF_THE_WORKER) for (const pid of pids) killGroup(pid);
        release(seq);
      }
    },
  };
}
