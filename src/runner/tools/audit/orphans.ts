import { joinRelative, walkFiles } from "../../../data/files/walk.js";
import type { KnownOutputs } from "../../plan/known-outputs.js";

export interface Orphans {
  readonly count: number;
  /** The first files, relative to the output root. */
  readonly files: readonly string[];
}

const EXAMPLES = 3;

/**
 * Files below an output root that belong to no listed item. A task may write more than it declares, so an item also owns
 * everything in its output directory, and files whose names extend its output's (`a.json.idx` beside `a.json`).
 */
export function findOrphans(root: string, leaveOut: readonly string[], known: KnownOutputs): Orphans {
  const files: string[] = [];
  let count = 0;
  for (const { relDir, names } of walkFiles({ root, leaveOut, hidden: true })) {
    if (known.hasDirectory(relDir)) continue;
    for (const name of names) {
      if (belongs(relDir, name, known)) continue;
      count++;
      if (files.length < EXAMPLES) files.push(joinRelative(relDir, name));
    }
  }
  return { count, files };
}

function belongs(relDir: string, name: string, known: KnownOutputs): boolean {
  if (known.hasFile(joinRelative(relDir, name))) return true;
  for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1))
    if (known.hasFile(joinRelative(relDir, name.slice(0, dot)))) return true;
  return false;
}
