import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Identifies a process, so that another process can check whether it is alive. */
export interface ProcessFacts {
  readonly host: string;
  readonly pid: number;
  /** The start time of the process, in the system's format; with the pid it is unique in a boot. null: unknown. */
  readonly start: string | null;
  /** The boot id of the machine. null: the system has none. */
  readonly boot: string | null;
  /** The pid namespace; pids are valid only inside it. null: the system has none. */
  readonly pidns: string | null;
}

let own: ProcessFacts | undefined;

export function ownProcess(): ProcessFacts {
  own ??= {
    host: hostname(),
    pid: process.pid,
    start: processStart(process.pid),
    boot: bootId(),
    pidns: pidNamespace(),
  };
  return own;
}

/** The id of the current boot, where the system has one (Linux, macOS). */
function bootId(): string | null {
  if (process.platform === "darwin") return orNull(() => run("sysctl", "-n", "kern.bootsessionuuid"));
  return orNull(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
}

function pidNamespace(): string | null {
  return orNull(() => readlinkSync("/proc/self/ns/pid"));
}

/**
 * Whether a process of this machine and pid namespace is alive. Pids are reused; the start time shows whether it is the same
 * process. A zombie counts as dead.
 */
export function processLives(pid: number, start: string | null): boolean {
  const found = processStart(pid);
  if (found === null) return answers(pid);
  return found !== ZOMBIE && (start === null || found === start);
}

const ZOMBIE = "zombie";

/** null: no such process, or it is hidden from this user. */
function processStart(pid: number): string | null {
  if (process.platform !== "linux") {
    return orNull(() => {
      const [, state, start] = /^(\S+)\s+(.+)$/.exec(run("ps", "-o", "stat=", "-o", "lstart=", "-p", String(pid)))!;
      return state!.startsWith("Z") ? ZOMBIE : start!;
    });
  }
  return orNull(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses, which may contain any text: counts from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? ZOMBIE : fields[19]!;
  });
}

/** Another user's process may be hidden from /proc (hidepid); signal 0 still finds it. */
function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
