/** Kills a process group, if it still exists. */
export function killGroup(leaderPid: number | undefined): void {
  if (leaderPid === undefined) return;
  try {
    process.kill(-leaderPid, "SIGKILL");
  } catch {
    // It does not exist any more.
  }
}
