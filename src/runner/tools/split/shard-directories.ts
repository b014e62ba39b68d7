import { existsSync, lstatSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { environmentError, errnoOf } from "../../../base/disk.js";
import { KagurazakaError } from "../../../base/errors.js";
import { makeDirectory, makeOwnDirectory } from "../../../base/make-directory.js";
import { foldsNames, isSameDirectory } from "../../../base/names-on-disk.js";
import { OWN_DIRECTORY } from "../../../base/own-directory.js";
import { realPathOf } from "../../../data/files/walk.js";
import { PlacingFailed } from "./placing-failed.js";
import { refuseForeign } from "./refusals.js";
import { isWithin, shardName } from "./settings.js";

const MAX_KNOWN = 100_000;

/** `<base>/<shard>/<name>` and what is below. `<base>/<shard>` may be there before, also as a link to another disk. */
export class ShardDirectories {
  readonly #base: string;
  readonly #roots: readonly string[];
  /** Directories that are there → whether this split has made them. */
  readonly #known = new Map<string, boolean>();
  readonly #stagings = new Set<number>();
  readonly #folds: (boolean | undefined)[] = [];

  constructor(base: string, name: string, shards: number) {
    this.#base = base;
    this.#roots = Array.from({ length: shards }, (_, index) => join(base, shardName(index, shards), name));
  }

  rootOf(shard: number): string {
    return this.#roots[shard]!;
  }

  /** A shard may be a link to any directory outside the input: inside, a file would be its own target. */
  refuseOverlap(input: string): void {
    const base = realPathOf(this.#base);
    for (const root of this.#roots) {
      if (!lstatSync(dirname(root), { throwIfNoEntry: false })) continue;
      refuseForeign(root, shardStaging.dir(root));
      const real = realPathOf(root);
      const isApart = !isWithin(input, real) && (!isWithin(real, input) || isWithin(real, base));
      if (isApart && !isSameDirectory(input, real)) continue;
      throw new KagurazakaError("usage", `the shard ${root} is ${real}, which overlaps the input ${input}`, {
        where: "--into",
        hint: "Say another --into, or another --name.",
      });
    }
  }

  /** Makes all of them, also those that get no file: reading one back is no mistake. */
  prepare(): void {
    for (const root of this.#roots) {
      try {
        makeDirectory(root);
      } catch (error) {
        throw environmentError("make the directory", root, error);
      }
      // The file that the last command was copying when it was killed.
      removeStaging(root);
    }
  }

  /** Makes the directory where it is missing; true when it was. Each is asked for once, not once a file. */
  open(shard: number, relDir: string): boolean {
    if (relDir === ".") return false;
    const path = `${this.#roots[shard]}/${relDir}`;
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const parent = dirname(relDir);
    this.open(shard, parent);
    const isNew = makeOwn(path);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(path, isNew);
    return isNew;
  }

  /** The shard takes names that differ in case for one. */
  foldsNames(shard: number): boolean {
    this.#folds[shard] ??= foldsNames(this.#roots[shard]!);
    return this.#folds[shard];
  }

  /** On the file system of the shard, where no walk looks. */
  staging(shard: number): string {
    const dir = shardStaging.dir(this.#roots[shard]!);
    if (!this.#stagings.has(shard)) {
      makeOwnDirectory(dir);
      this.#stagings.add(shard);
    }
    return dir;
  }

  close(): void {
    for (const shard of this.#stagings) removeStaging(this.#roots[shard]!);
  }
}

function removeStaging(root: string): void {
  const dir = shardStaging.dir(root);
  // A kill may have come between the two removals.
  if (!existsSync(dirname(dir))) return;
  rmSync(dir, { recursive: true, force: true });
  try {
    rmdirSync(dirname(dir));
  } catch {
    // It has other files.
  }
}

export const shardStaging = {
  dir: (root: string): string => join(root, OWN_DIRECTORY, "split"),
  file: (dir: string): string => `${dir}/file`,
};

function makeOwn(path: string): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) {
    try {
      mkdirSync(path);
      return true;
    } catch (error) {
      // The name is wrong, not the disk.
      if (["ENAMETOOLONG", "EILSEQ", "EINVAL"].includes(errnoOf(error) ?? ""))
        throw new PlacingFailed((error as Error).message);
      throw environmentError("make the directory", path, error);
    }
  }
  if (there.isDirectory()) return false;
  // A walk does not follow symbolic links to directories: a file behind one would not be found again.
  throw new PlacingFailed(
    `${path} is ${there.isSymbolicLink() ? "a symbolic link" : "a file"} and should be a directory`,
  );
}
