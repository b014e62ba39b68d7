import { spawn } from "node:child_process";
import { statSync } from "node:fs";

/** A running `sync` command: Node has no call for it, and a process of its own blocks no thread of ours. */
export interface Syncing {
  /** undefined: everything is on disk; else the reason why that is not known. */
  readonly ended: Promise<string | undefined>;
  /** Kills the command. Inside the system call no signal reaches it, but our process may end before it does. */
  abandon(): void;
}

/**
 * Writes out the file systems on which these directories lie, or all there are when none is named; on macOS, where `sync`
 * takes no names, always all.
 */
export function syncFileSystems(dirs: readonly string[]): Syncing {
  const all = process.platform === "darwin" || dirs.length === 0;
  const child = spawn("sync", all ? [] : ["-f", ...oneOfEach(dirs)], { stdio: "ignore" });
  child.unref();
  return {
    ended: new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => resolve(code === 0 ? undefined : `sync ended with ${signal ?? code}`));
    }),
    abandon: () => void child.kill("SIGKILL"),
  };
}

function oneOfEach(dirs: readonly string[]): string[] {
  const byDevice = new Map<number | string, string>();
  for (const dir of dirs) byDevice.set(statSync(dir, { throwIfNoEntry: false })?.dev ?? dir, dir);
  return [...byDevice.values()];
}
