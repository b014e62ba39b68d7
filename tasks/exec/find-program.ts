import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { didYouMean } from "kagurazaka";
import { Mistake } from "./mistake.js";

/** Refuses a program that does not exist once, before the first of a million items fails because of it. */
export function checkProgram(name: string, cwd: string): void {
  if (name.includes("/")) {
    const why = whyNotRunnable(resolve(cwd, name));
    if (why !== undefined) throw new Mistake(`the program ${name} ${why}`);
    return;
  }
  const dirs = (process.env.PATH ?? "").split(delimiter).filter((dir) => dir !== "");
  if (dirs.some((dir) => whyNotRunnable(join(dir, name)) === undefined)) return;
  if (/\s/.test(name)) throw oneWord(name);
  throw new Mistake(`there is no program "${name}" in PATH.${didYouMean(name, dirs.flatMap(namesIn))}`);
}

/** For a command in quotes, as for a shell. */
export const oneWord = (text: string): Mistake =>
  new Mistake(
    `"${text}" is one word, and no program is called that`,
    "No shell takes words apart here: write them bare behind --, or say sh -c 'SCRIPT' sh {}.",
  );

function whyNotRunnable(path: string): string | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return "does not exist";
    if (!stat.isFile()) return "is no file";
  } catch (error) {
    // A directory on the way may not be entered. In PATH, the next one is looked at.
    return `cannot be looked at: ${(error as Error).message}`;
  }
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return "is not executable";
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
