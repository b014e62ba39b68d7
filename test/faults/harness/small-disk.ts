import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fixture } from "./command.js";

/** A directory with little room: a real file system, or writes that fail as on one. */
export interface SmallDisk extends Disposable {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly nodeArgs: readonly string[];
  /** `files`: how many it may hold, where that can be said. */
  resize(kilobytes: number, files?: number): void;
}

export const mayMount: boolean = (() => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    execFileSync("unshare", ["--mount", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

export function mountSmallDisk(dir: string, kilobytes: number): SmallDisk {
  mkdirSync(dir, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "none", dir]);
  return {
    dir,
    env: {},
    nodeArgs: [],
    resize: (more, files) =>
      void execFileSync("mount", ["-o", `remount,size=${more}k${files ? `,nr_inodes=${files}` : ""}`, dir]),
    [Symbol.dispose]: () => void execFileSync("umount", ["-l", dir]),
  };
}

export function pretendSmallDisk(dir: string, kilobytes: number): SmallDisk {
  mkdirSync(dir, { recursive: true });
  const env = { FAULTS_DISK: dir, FAULTS_DISK_BYTES: String(kilobytes * 1024) };
  return {
    dir,
    env,
    nodeArgs: ["--import", fixture("small-disk.mjs")],
    resize(more) {
      env.FAULTS_DISK_BYTES = String(more * 1024);
    },
    [Symbol.dispose]() {},
  };
}
