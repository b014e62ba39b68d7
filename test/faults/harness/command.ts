import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";

/** The checkout, or what `KAGURAZAKA_UNDER_TEST` names (an unpacked tarball, another build). */
export const productRoot = realpathSync(process.env.KAGURAZAKA_UNDER_TEST ?? process.cwd());
export const fixture = (name: string): string => join(process.cwd(), "test", "faults", "fixtures", name);
const bin = join(productRoot, "src", "bin.cjs");

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

export interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Still there; false once it was waited for. */
  readonly alive: boolean;
  /** To the whole process group. */
  kill(signal: NodeJS.Signals): void;
  /** To the command itself alone. */
  signal(signal: NodeJS.Signals): void;
  readonly stderrSoFar: string;
}

export interface Spawned {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Words for node itself, before the program. */
  readonly nodeArgs?: readonly string[];
  /** A command that runs the command it is given: `unshare --uts …`. */
  readonly within?: readonly string[];
}

const living = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of living) killGroup(child, "SIGKILL");
});

/** `kagurazaka …` in a process group of its own, as a shell with job control starts it. */
export function startCommand(args: readonly string[], { cwd, env, nodeArgs = [], within = [] }: Spawned): Started {
  const startedMs = performance.now();
  const [program, ...words] = [...within, process.execPath, ...nodeArgs, bin, ...args];
  const child = spawn(program!, words, {
    cwd,
    env: { ...cleanEnv(), NO_COLOR: "1", ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  living.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      living.delete(child);
      resolve({ code, signal, stdout, stderr, elapsedMs: performance.now() - startedMs });
    });
  });
  return {
    pid: child.pid!,
    ended,
    get alive() {
      return living.has(child);
    },
    kill: (signal) => killGroup(child, signal),
    signal: (signal) => void child.kill(signal),
    get stderrSoFar() {
      return stderr;
    },
  };
}

export const runCommand = (args: readonly string[], spawned: Spawned): Promise<Ended> =>
  startCommand(args, spawned).ended;

/** What a test runner puts into the environment is not part of the product's. */
function cleanEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$)/.test(name));
  return Object.fromEntries(kept);
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // Already gone.
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until `check` holds; throws with `what` when it does not in time. */
export async function until(what: string, check: () => boolean, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(5);
  }
}

/** Whether a process runs; one that is dead and not yet waited for does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return process.platform !== "linux";
  }
}
