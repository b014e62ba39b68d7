import { basename, dirname, join, relative } from "node:path";
import type { FileItem } from "../../src/index.js";
import { createDirectory } from "../data/tree.js";

/** An item as the runner makes it, with the output straight in place. */
export function itemOf(root: string, path: string, ext: string): FileItem {
  const full = join(root, path);
  const relDir = relative(root, dirname(full)) || ".";
  const out = join(createDirectory(), `${basename(full)}${ext}`);
  return {
    input: { path: full, relDir, fileName: basename(full) },
    output: { path: out, finalPath: out, relDir, fileName: basename(out) },
  };
}
