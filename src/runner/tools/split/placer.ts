import {
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { environmentError, errnoOf, readFully, syncPath, withFile } from "../../../base/disk.js";
import { KagurazakaError } from "../../../base/errors.js";
import { isSameEntry } from "../../../base/names-on-disk.js";
import { joinRelative } from "../../../data/files/walk.js";
import { otherNameOf } from "../../program/safe-path.js";
import { isNotUtf8, NOT_UTF8, PlacingFailed } from "./placing-failed.js";
import { noLinks } from "./refusals.js";
import { Removals } from "./removals.js";
import type { Way } from "./settings.js";
import { type ShardDirectories, shardStaging } from "./shard-directories.js";

/** `there`: the file is in its shard already. `gone`: it is neither in the input nor in its shard. */
type Placed = { readonly state: "placed" | "there"; readonly bytes: number } | { readonly state: "gone" };

/** Errors after which every other file would fail as well. */
const ENVIRONMENT = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE", "ENOMEM", "ESTALE"]);
const NO_LINKS = new Set(["EXDEV", "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/**
 * Puts one file into its shard so that a kill at any moment leaves either nothing or the whole file under its name, and a
 * moved file always in one of its two places; a file moved to another file system survives power loss, too. Synchronous: a
 * file takes two to four system calls.
 */
export class Placer {
  readonly #input: string;
  readonly #by: Way;
  readonly #shards: ShardDirectories;
  /** Files that are in their shard and still in the input; the caller of `place` has to settle them. */
  readonly removals = new Removals();

  constructor(input: string, by: Way, shards: ShardDirectories) {
    this.#input = input;
    this.#by = by;
    this.#shards = shards;
  }

  /** @throws PlacingFailed for this file, KagurazakaError for all of them */
  place(shard: number, relDir: string, name: string): Placed {
    const key = joinRelative(relDir, name);
    const from = `${this.#input}/${key}`;
    const to = `${this.#shards.rootOf(shard)}/${key}`;
    try {
      const source = sourceOf(from);
      if (source === undefined) return this.#missing(key, to);
      if (!source.stat.isFile()) throw new PlacingFailed("it is no regular file any more");
      if (source.path !== from && this.#by === "move") throw new PlacingFailed("it is a symbolic link now");
      const isNew = this.#shards.open(shard, relDir);
      return { state: this.#put({ key, shard, from, to, source, isNew }), bytes: source.stat.size };
    } catch (error) {
      throw refine(error, this.#by, from, to);
    }
  }

  #missing(key: string, to: string): Placed {
    const there = lstatSync(to, { throwIfNoEntry: false });
    if (there) return { state: "there", bytes: there.size };
    if (isNotUtf8(key)) throw new PlacingFailed(NOT_UTF8);
    return { state: "gone" };
  }

  #put(file: Placing): "placed" | "there" {
    const { to, isNew, source } = file;
    // A link never replaces anything, so in a new directory it needs no look before.
    const there = isNew && this.#by === "link" ? undefined : lstatSync(to, { throwIfNoEntry: false });
    if (there) return this.#isThere(file, there);
    if (this.#by === "move") this.#move(file);
    else if (this.#by === "copy") this.#copy(file);
    else {
      try {
        linkSync(source.path, to);
      } catch (error) {
        if (errnoOf(error) !== "EEXIST") throw error;
        return this.#isThere(file, lstatSync(to));
      }
    }
    return "placed";
  }

  /** The same file (a link), or one of the same size and time (a copy). Anything else is not ours, and stays. */
  #isThere({ key, shard, from, to, source: { stat } }: Placing, there: Stats): "there" {
    const other = this.#shards.foldsNames(shard) ? otherNameOf(to) : undefined;
    if (other !== undefined) throw new PlacingFailed(`${to} is the same file there as ${other}`);
    const isLink = there.ino === stat.ino && there.dev === stat.dev && there.size === stat.size;
    if (!isLink && !(there.isFile() && there.size === stat.size && isSameTime(there.mtimeMs, stat.mtimeMs))) {
      throw new PlacingFailed(`${to} is there with other content (${describe(there)}; ${from} has ${describe(stat)})`);
    }
    if (this.#by !== "move") return "there";
    // An earlier split was killed between copy and removal. Before the only other copy goes, bytes are compared, not times.
    const isSafe = isLink ? stat.nlink > 1 && !isSameEntry(to, from) : hasSameBytes(from, to);
    if (!isSafe)
      throw new PlacingFailed(`${to} is there with other content than ${from}, though of the same size and time`);
    if (isLink) unlinkSync(from);
    else {
      syncPath(to);
      this.removals.add({ key, from, to, stat, state: "there" });
    }
    return "there";
  }

  #move(file: Placing): void {
    try {
      renameSync(file.from, file.to);
    } catch (error) {
      if (errnoOf(error) !== "EXDEV") throw error;
      this.#copy(file);
      this.removals.add({ ...file, stat: file.source.stat, state: "placed" });
    }
  }

  #copy({ shard, to, source: { path, stat } }: Placing): void {
    const staged = shardStaging.file(this.#shards.staging(shard));
    try {
      copyFileSync(path, staged, constants.COPYFILE_FICLONE);
      utimesSync(staged, stat.atimeMs / 1000, stat.mtimeMs / 1000);
      const now = statSync(path);
      if (now.size !== stat.size || now.mtimeMs !== stat.mtimeMs)
        throw new PlacingFailed("it changed while it was copied; the same command tries it again");
      // The bytes before the name, and both before the source goes.
      if (this.#by === "move") syncPath(staged);
      renameSync(staged, to);
    } catch (error) {
      rmSync(staged, { force: true });
      throw error;
    }
  }
}

interface Source {
  readonly stat: Stats;
  /** Where the bytes are: the target of a symbolic link, which would lead nowhere from inside a shard. */
  readonly path: string;
}

interface Placing {
  readonly key: string;
  readonly shard: number;
  readonly from: string;
  readonly to: string;
  readonly source: Source;
  readonly isNew: boolean;
}

function sourceOf(path: string): Source | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isSymbolicLink()) return stat && { stat, path };
  const real = realpathSync(path);
  return { stat: statSync(real), path: real };
}

/** Some file systems keep whole seconds only, or two. */
function isSameTime(there: number, wanted: number): boolean {
  const apart = Math.abs(there - wanted);
  return apart < 1 || (there % 1000 === 0 && apart <= 2000);
}

const describe = (stat: Stats): string =>
  stat.isFile() ? `${stat.size} bytes of ${stat.mtime.toISOString()}` : "it is no file";

function hasSameBytes(a: string, b: string): boolean {
  const [left, right] = [Buffer.allocUnsafe(1 << 20), Buffer.allocUnsafe(1 << 20)];
  return withFile(a, (one) =>
    withFile(b, (other) => {
      for (;;) {
        const size = readFully(one, left, null);
        if (size !== readFully(other, right, null) || left.compare(right, 0, size, 0, size) !== 0) return false;
        if (size < left.length) return true;
      }
    }),
  );
}

function refine(error: unknown, by: Way, from: string, to: string): unknown {
  if (KagurazakaError.is(error) || error instanceof PlacingFailed) return error;
  const code = errnoOf(error) ?? "";
  if (ENVIRONMENT.has(code)) return environmentError(`${by} ${from} to`, to, error);
  if (by === "link" && NO_LINKS.has(code)) return noLinks(from, to, code);
  return new PlacingFailed((error as Error).message);
}
