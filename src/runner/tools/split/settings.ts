import { realpathSync, statSync } from "node:fs";
import { basename, resolve, sep } from "node:path";
import { KagurazakaError } from "../../../base/errors.js";
import { OWN_DIRECTORY } from "../../../base/own-directory.js";
import { realPathOf } from "../../../data/files/walk.js";

export type Way = "link" | "copy" | "move";

/** Which files of the input are split. */
export interface FileChoice {
  readonly exts: readonly string[];
  /** Globs over keys, as `--only` of a run. */
  readonly only: readonly string[];
  readonly hidden: boolean;
}

/** The command as the user typed it, paths included. */
export interface SplitRequest extends FileChoice {
  readonly input: string;
  readonly into: string;
  readonly by: Way;
  readonly shards?: number | undefined;
  readonly balance?: "count" | "size" | undefined;
  readonly maxFiles?: number | undefined;
  readonly maxSize?: number | undefined;
  /** Name of the directory in each shard; the input's own when left out. */
  readonly name?: string | undefined;
}

/**
 * How a file finds its shard.
 *
 * `hash`: by the hash of its key alone. It is the default, because a split that goes on, or that new files have come to,
 * finds every file where it was without a plan. Shards are equal as far as chance makes them so (10M files over 12: within
 * 0.5 %).
 * `lightest`: the next file of the sorted walk goes where the fewest bytes are; shards differ by no more than the largest
 * file. `fill`: the walk fills one shard after the other, so directories stay together. Both depend on all files before,
 * so their decisions are kept in a plan (plan.ts), and files that come later are added to it.
 */
export type Rule =
  | { readonly kind: "hash" | "lightest"; readonly shards: number }
  | { readonly kind: "fill"; readonly maxFiles: number | null; readonly maxSize: number | null };

export interface SplitSettings {
  /** Real path. */
  readonly input: string;
  /** Absolute. */
  readonly base: string;
  readonly name: string;
  readonly by: Way;
  readonly rule: Rule;
  readonly choice: FileChoice;
}

/** Checks the command; writes nothing. @throws KagurazakaError `usage`, `bad-value` or `input-root` */
export function readRequest(request: SplitRequest): SplitSettings {
  const rule = ruleOf(request);
  const input = realInput(request.input);
  const base = resolve(request.into);
  const realBase = realPathOf(base);
  if (isWithin(input, realBase)) {
    throw new KagurazakaError("usage", `the input ${request.input} lies in ${request.into}, where the shards go`, {
      where: "--into",
      hint: "Say a directory beside or below the input; one below it is left out of the input.",
    });
  }
  const { by, exts, only, hidden } = request;
  return { input, base, name: checkName(request.name ?? basename(input)), by, rule, choice: { exts, only, hidden } };
}

function ruleOf({ shards, balance, maxFiles, maxSize }: SplitRequest): Rule {
  if (shards === undefined && maxFiles === undefined && maxSize === undefined) {
    throw new KagurazakaError("usage", "into how many shards?", {
      where: "command line",
      hint: "Say --shards 10, --max-files 100k or --max-size 50GB.",
    });
  }
  if (shards === undefined) {
    if (balance === undefined) return { kind: "fill", maxFiles: maxFiles ?? null, maxSize: maxSize ?? null };
    throw new KagurazakaError("usage", "--balance goes with --shards", {
      where: "--balance",
      hint: "--max-files and --max-size fill one shard after the other.",
    });
  }
  if (maxFiles !== undefined || maxSize !== undefined) {
    const other = maxFiles === undefined ? "--max-size" : "--max-files";
    throw new KagurazakaError("usage", `--shards and ${other} exclude each other`, {
      where: other,
      hint: "Either the number of shards is said, or how large one may be.",
    });
  }
  return { kind: balance === "size" ? "lightest" : "hash", shards };
}

function realInput(input: string): string {
  if (!statSync(input, { throwIfNoEntry: false })?.isDirectory()) {
    throw new KagurazakaError("input-root", `the input ${input} is not a directory`, { where: "command line" });
  }
  return realpathSync(input);
}

function checkName(name: string): string {
  if (name !== "" && name !== "." && name !== ".." && name !== OWN_DIRECTORY && !/[/\0]/.test(name)) return name;
  throw new KagurazakaError("bad-value", `the name must be that of one directory, not ${JSON.stringify(name)}`, {
    where: "--name",
    hint: "The shards' input directories are called so: BASE/<shard>/<name>.",
  });
}

export const isWithin = (path: string, dir: string): boolean =>
  path === dir || path.startsWith(dir.endsWith(sep) ? dir : dir + sep);

/** `0` to `9` of ten, `00` to `11` of twelve: they sort as text. */
export const shardName = (index: number, shards: number): string => String(index).padStart(digitsOf(shards), "0");

export const digitsOf = (shards: number): number => String(Math.max(0, shards - 1)).length;
