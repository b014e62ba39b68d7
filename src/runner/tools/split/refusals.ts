import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { KagurazakaError } from "../../../base/errors.js";
import { findForeign } from "../../../base/own-directory.js";
import type { SplitSettings } from "./settings.js";

export function symbolicLink(key: string): KagurazakaError {
  return new KagurazakaError("usage", `${key} is a symbolic link, which would lead nowhere once it is moved`, {
    where: "--by move",
    hint: "Use --by link or --by copy, which take the file it leads to, or leave it out with --only or --exts.",
  });
}

/** Below `root`, which the user chose, our directories are no symbolic links. */
export function refuseForeign(root: string, dir: string): void {
  const found = findForeign(root, dir);
  if (found) throw found;
}

/** Before anything is made. A shard on yet another disk is only found by its first link. */
export function refuseOtherFileSystem({ input, base }: SplitSettings): void {
  let there = base;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  if (statSync(there).dev !== statSync(input).dev) throw noLinks(input, base, "EXDEV");
}

export function noLinks(from: string, to: string, why: string): KagurazakaError {
  const reason = why === "EXDEV" ? "they are on different file systems" : `the file system says ${why}`;
  return new KagurazakaError("usage", `${from} cannot be linked to ${to}: ${reason}`, {
    where: "--by link",
    hint: "Use --by copy (or --by move); what is linked already counts.",
  });
}
