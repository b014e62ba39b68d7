import { writeSync } from "node:fs";

/**
 * A process that ends before its command does, because code of the task called `process.exit`, must not look like a success:
 * it says where that was, and exits with code 1.
 */
export function watchForEarlyExit(isOver: () => boolean): void {
  process.once("exit", (code) => {
    if (isOver()) return;
    const stack = (new Error("exit").stack ?? "").split("\n");
    const called = stack.findIndex((line) => line.includes(" process.exit "));
    // An uncaught error: Node has reported it.
    if (called < 0 && code !== 0 && code !== 13) return;
    process.exitCode = 1;
    const caller = called < 0 ? undefined : stack.slice(called + 1).find((line) => !line.includes("(node:"));
    const where = caller?.trim().replace(/^at /, "");
    const what =
      called < 0
        ? "the process ended before its command: something is awaited that nothing is left to settle"
        : `the task ended this process: process.exit was called with code ${code}${where ? `, in ${where}` : ""}`;
    const hint = "To stop, throw an error. What was recorded is kept, and the same command goes on from there.";
    try {
      writeSync(2, `error [task-ended] ${what}\n  → ${hint}\n`);
    } catch {
      // Nobody reads it.
    }
  });
}
