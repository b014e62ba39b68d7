/** Ends a process group and everything in it; one that is already gone is fine. */
export function killGroup(leaderPid: number | undefined): void {
  if (leaderPid === undefined) return;
  try {
    process.kill(-leaderPid, "SIGKILL");
  } catch {
    // Already gone.
  }
}
