import { lstatSync, mkdirSync, rmdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf } from "./disk.js";

/** How often a directory is made anew that other processes remove meanwhile. */
const MAX_TRIES = 100;

/**
 * Makes a directory and its missing parents, which other processes may make and remove at the same time. Not Node's recursive
 * mkdir: where a parent exists and still returns ENOENT, as /proc does, that never returns (Node 20).
 */
export const makeDirectory = (path: string): void => make(path, statSync);

/** The same for a directory of ours: a symbolic link in its place is an error (ELOOP), wherever it leads. */
export const makeOwnDirectory = (path: string): void => make(path, lstatSync);

function make(path: string, look: typeof statSync | typeof lstatSync): void {
  for (let tries = 1; ; tries++) {
    try {
      mkdirSync(path);
      return;
    } catch (error) {
      const code = errnoOf(error);
      const there = code === "EEXIST" ? look(path, { throwIfNoEntry: false }) : undefined;
      if (there?.isDirectory()) return;
      if (there?.isSymbolicLink())
        throw Object.assign(new Error(`ELOOP: symbolic link, mkdir '${path}'`), { code: "ELOOP" });
      // Neither there nor missing for long: another process is making it, or removes it because it was empty.
      const mayChange = code === "ENOENT" || (code === "EEXIST" && there === undefined);
      if (!mayChange || tries === MAX_TRIES) throw error;
      if (code === "ENOENT") make(dirname(path), look);
    }
  }
}

/** Removes directories one after another, up to the first that is not empty or does not exist. */
export function removeEmpty(...dirs: string[]): void {
  try {
    for (const dir of dirs) rmdirSync(dir);
  } catch {
    // This one stays, and so do those after it.
  }
}
