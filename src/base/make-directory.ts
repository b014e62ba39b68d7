import { existsSync, mkdirSync, rmdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a directory and its missing parents. Not Node's recursive mkdir: where a parent exists and still returns ENOENT, as
 * /proc does, that never returns (Node 20).
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code !== "ENOENT" || existsSync(dirname(path))) throw error;
    makeDirectory(dirname(path));
    makeDirectory(path);
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
