import { killGroup } from "./process-group.js";

/** Kills process groups when the coordinator ends. */
interface Guard {
  add(leaderPid: number): void;
  remove(leaderPid: number): void;
}

/** Stands for processes that the worker itself has started. */
const OF_THE_WORKER = 0;

/** The process groups that items of one worker have started, by the item's sequence number. For backbones on this machine. */
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
      // The message about a process may arrive after `killAll`.
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
        // A process of the worker itself kills its children and exits when its pipe to the worker closes.
        if (seq !== OF_THE_WORKER) for (const pid of pids) killGroup(pid);
        release(seq);
      }
    },
  };
}
