import { readFileSync } from "node:fs";
import { KagurazakaError } from "../base/errors.js";

/** The keys of `--keys`: those in a file, one key a line, or those given. */
export function readKeys(path: string | readonly string[]): ReadonlySet<string> {
  if (typeof path !== "string") return new Set(path);
  try {
    const lines = readFileSync(path, "utf8").split(/\r?\n/);
    return new Set(lines.filter((line) => line !== ""));
  } catch (cause) {
    throw new KagurazakaError("bad-value", `cannot read the keys from ${path}: ${(cause as Error).message}`, {
      where: "--keys",
      cause,
    });
  }
}
