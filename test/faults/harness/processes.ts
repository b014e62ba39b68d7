import { readdirSync, readFileSync } from "node:fs";
import { isRunning } from "./command.js";

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Gone, or a process of another user.
    return "";
  }
};

const processes = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** Processes that carry the variable in their environment and are not dead. */
export const processesWith = (variable: string): number[] =>
  processes().filter((pid) => read(`/proc/${pid}/environ`).split("\0").includes(variable) && isRunning(pid));

/** Processes with the word among those they were started with. */
export const processesNamed = (word: string): number[] =>
  processes().filter((pid) => read(`/proc/${pid}/cmdline`).split("\0").includes(word) && isRunning(pid));
