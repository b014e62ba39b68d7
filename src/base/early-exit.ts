import { writeSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What is not at its end yet. */
interface Watched {
  /** `run`: in a program of somebody else, which may end when it likes, but not by code of the task. */
  readonly what: "command" | "run";
  /** The task's file, once it is known. */
  taskFile?: string;
}

const unfinished = new Set<Watched>();
/** Of this product's own code, as it stands in stacks. */
const ownFiles = fileURLToPath(new URL("..", import.meta.url));

/**
 * A process that ends before its command or run does, because code of the task called `process.exit`, must not look like a
 * success: it says where that was, and exits with code 1. Disposed of at the end.
 */
export function watchForEarlyExit(what: Watched["what"]): Watched & Disposable {
  if (unfinished.size === 0) process.on("exit", onExit);
  const watched = {
    what,
    [Symbol.dispose]() {
      unfinished.delete(watched);
      if (unfinished.size === 0) process.off("exit", onExit);
    },
  };
  unfinished.add(watched);
  return watched;
}

function onExit(code: number): void {
  const stack = (new Error("exit").stack ?? "").split("\n");
  const called = stack.findIndex((line) => line.includes(" process.exit "));
  const callers = called < 0 ? [] : stack.slice(called + 1);
  if (![...unfinished].some((watched) => isEarly(watched, code, callers))) return;
  process.exitCode = 1;
  const where = callers
    .find((line) => !line.includes("(node:"))
    ?.trim()
    .replace(/^at /, "");
  const message =
    called < 0
      ? "the process ended before its command: something is awaited that nothing is left to settle"
      : `the task ended this process: process.exit was called with code ${code}${where ? `, in ${where}` : ""}`;
  const hint = "To stop, throw an error. What was recorded is kept, and the same command goes on from there.";
  try {
    writeSync(2, `error [task-ended] ${message}\n  → ${hint}\n`);
  } catch {
    // Standard error has no reader.
  }
}

/** @param callers of `process.exit`, the innermost first; none where it was not called */
function isEarly({ what, taskFile }: Watched, code: number, callers: readonly string[]): boolean {
  // An uncaught error: Node has reported it.
  if (what === "command") return callers.length > 0 || code === 0 || code === 13;
  const isOurs = (line: string): boolean => [ownFiles, taskFile ?? ownFiles].some((file) => line.includes(file));
  return code === 0 && callers.some(isOurs);
}
