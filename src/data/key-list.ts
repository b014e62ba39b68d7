import { readFileSync } from "node:fs";
import { KagurazakaError } from "../base/errors.js";

/** The file of `--keys`: one key a line. */
export function readKeys(path: string): ReadonlySet<string> {
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
