import { lstatSync, readdirSync, readlinkSync, unlinkSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { errnoOf } from "./disk.js";
import { KagurazakaError } from "./errors.js";

/** The directory below an output root that belongs to kagurazaka. */
export const OWN_DIRECTORY = ".kagurazaka";

/**
 * A directory of ours must not be a symbolic link, nor lie behind one: a tree may come from an archive, and what is cleaned up
 * there would be removed where the link leads. `root` was chosen by the user and may be a link itself.
 * @returns the mistake; undefined where there is none, also where nothing is there yet
 */
export function findForeign(root: string, dir: string): KagurazakaError | undefined {
  let at = root;
  for (const name of relative(root, dir).split(sep)) {
    at = join(at, name);
    const stat = lstatIfThere(at);
    if (stat === undefined) return undefined;
    if (stat.isDirectory()) continue;
    const found = stat.isSymbolicLink() ? `a symbolic link to ${readlinkSync(at)}` : "not a directory";
    return new KagurazakaError("output-root", `${at} is ${found}, but kagurazaka keeps its own files there`, {
      where: at,
      hint: "Move it away: no link is followed there, for a tree may come from an archive. --run-dir keeps the state elsewhere.",
    });
  }
  return undefined;
}

/** Removes the symbolic links in a directory: what is written to a name in it is written there, and nowhere else. */
export function removeLinks(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isSymbolicLink()) unlinkSync(path);
    else if (entry.isDirectory()) removeLinks(path);
  }
}

function lstatIfThere(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
