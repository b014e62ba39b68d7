import { spawn } from "node:child_process";
import { statSync } from "node:fs";

/** A running `sync` command: Node has no sync(2), and a separate process blocks no thread of ours. */
export interface Syncing {
  /** undefined: everything is on disk; else why the sync failed. */
  readonly ended: Promise<string | undefined>;
  /** Kills the command. It cannot be killed inside the system call, but our process need not wait for it. */
  abandon(): void;
}

/**
 * Syncs the file systems of these directories, or all file systems when none is named. On macOS, where `sync` takes no
 * names, it always syncs all.
 */
export function syncFileSystems(dirs: readonly string[]): Syncing {
  const all = process.platform === "darwin" || dirs.length === 0;
  const child = spawn("sync", all ? [] : ["-f", ...oneOfEach(dirs)], { stdio: "ignore" });
  child.unref();
  return {
    ended: new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => resolve(code === 0 ? undefined : `sync exited with ${signal ?? code}`));
    }),
    abandon: () => void child.kill("SIGKILL"),
  };
}

function oneOfEach(dirs: readonly string[]): string[] {
  const byDevice = new Map<number | string, string>();
  for (const dir of dirs) byDevice.set(statSync(dir, { throwIfNoEntry: false })?.dev ?? dir, dir);
  return [...byDevice.values()];
}
