import type { StdioOptions } from "node:child_process";
import type { TaskContext } from "kagurazaka";
import type { Ending } from "./failure.js";

export interface ProgramCall {
  readonly argv: readonly string[];
  readonly cwd: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly stdio: StdioOptions;
  /** Written to standard input, where that is a pipe. */
  readonly stdin: string | undefined;
  /** From SIGTERM to SIGKILL, when the item is to stop, in milliseconds. */
  readonly killAfterMs: number;
}

/** Runs a program to its end in a process group of its own, with the words as they are. Rejects when it cannot start. */
export function runProgram(
  { argv, cwd, env, stdio, stdin, killAfterMs }: ProgramCall,
  ctx: TaskContext,
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const { signal } = ctx;
    const child = ctx.spawn(argv[0]!, argv.slice(1), { stdio, env, ...(cwd === undefined ? {} : { cwd }) });
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      signalGroup(child.pid, "SIGTERM");
      timer = setTimeout(() => signalGroup(child.pid, "SIGKILL"), killAfterMs);
    };
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    };
    child.once("error", (error) => {
      settle();
      reject(error);
    });
    child.once("exit", (code, by) => {
      settle();
      resolve({ code, signal: by });
    });
    if (child.stdin) {
      // A program need not read what it is given.
      child.stdin.on("error", () => {});
      child.stdin.end(stdin);
    }
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch {
    // It has ended by itself.
  }
}
