import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Who and where a process is, so that another can tell whether it still lives. */
export interface ProcessFacts {
  readonly host: string;
  readonly pid: number;
  /** When the process began, in the system's own terms; with the pid it names one process of a boot. null: unknown. */
  readonly start: string | null;
  /** Changes with every boot. null: the system does not tell. */
  readonly boot: string | null;
  /** Pids of one namespace mean nothing in another. null: the system has none. */
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

/** The running boot of this machine, where it tells (Linux). */
export function bootId(): string | null {
  return orNull(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
}

function pidNamespace(): string | null {
  return orNull(() => readlinkSync("/proc/self/ns/pid"));
}

/** When a process of this machine began; null when there is none (a zombie is none). */
export function processStart(pid: number): string | null {
  if (process.platform !== "linux") {
    return orNull(
      () =>
        execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "ignore"],
        }).trim() || null,
    );
  }
  return orNull(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets and may hold anything: count from the last bracket.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const state = fields[0]!;
    return state === "Z" || state === "X" ? null : fields[19]!;
  });
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
