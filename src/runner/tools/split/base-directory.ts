import { existsSync, rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { environmentError, errnoOf } from "../../../base/disk.js";
import { KagurazakaError } from "../../../base/errors.js";
import { makeDirectory } from "../../../base/make-directory.js";
import { wholeInput } from "../../../contracts/partition.js";
import { type Lease, openLease } from "../../lease/index.js";
import { stateDir } from "./plan.js";

/** Returns the topmost directory that was missing. */
export function makeBase(base: string): string | undefined {
  let made: string | undefined;
  for (let at = base; !existsSync(at) && dirname(at) !== at; at = dirname(at)) made = at;
  try {
    makeDirectory(base);
  } catch (error) {
    if (errnoOf(error) === "ENOSPC" || errnoOf(error) === "EDQUOT")
      throw environmentError("make the directory", base, error);
    throw new KagurazakaError("output-root", `cannot make the directory ${base}: ${(error as Error).message}`, {
      where: "--into",
      cause: error,
    });
  }
  return made;
}

/** One split at a time works on a base, also where their names differ. */
export async function holdBase(base: string): Promise<Lease> {
  try {
    return await openLease({ dir: `${stateDir(base)}/lease`, partition: wholeInput, run: "split" });
  } catch (error) {
    if (!KagurazakaError.is(error) || error.code !== "root-in-use") throw error;
    const hint = "Wait until it has ended, then give the same command again.";
    throw new KagurazakaError("root-in-use", error.message, { where: error.where, hint, cause: error });
  }
}

/** Leaves the base as it was, for a split that was refused when its files were listed. */
export function removeTraces(base: string, made: string | undefined): void {
  rmSync(stateDir(base), { recursive: true, force: true });
  const lowest = dirname(stateDir(base));
  try {
    for (let at = lowest; ; at = dirname(at)) {
      rmdirSync(at);
      if (at === (made ?? lowest)) return;
    }
  } catch {
    // It has other files.
  }
}
