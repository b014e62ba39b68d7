import { accessSync, constants, existsSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import { hashText, nameOfHash } from "../../base/hash.js";
import { OWN_DIRECTORY } from "../../base/own-directory.js";
import type { Root } from "../../contracts/modes.js";

/** Where a task keeps what it knows, on disk. */
export interface ShardPaths {
  readonly outputRoot: string | null;
  /** `<output_root>/.kagurazaka/<task id>`, or below `--run-dir`, or below the working directory. */
  readonly stateDir: string;
  readonly ledgerDir: string;
  readonly leaseDir: string;
  readonly runsDir: string;
  readonly failedFile: string;
  readonly statsFile: string;
  /** What workers know of lies below it, on their side too: the output root, where there is one. */
  readonly base: string;
  /** Below the output root, so that a rename never crosses a file system. */
  readonly stagingRoot: string;
  /** Below the output root too: what items keep (`ctx.keptDir`) is renamed into place as well. */
  readonly keptRoot: string;
  /** Which items were at workers, in case the whole process dies of one. */
  readonly inFlightDir: string;
}

/** One place per hard shard. Below `--run-dir`, and where no files are written, several shards keep apart by number. */
export function resolveShardPaths(taskId: string, roots: readonly Root[], runDir: string | undefined): ShardPaths[] {
  const folder = taskId.replace(/[^\w.@+-]/g, "_");
  const shards: readonly (Root | undefined)[] = roots.length === 0 ? [undefined] : roots;
  return shards.map((root) => {
    const outputRoot = root?.outputPath ?? null;
    const common = runDir !== undefined || outputRoot === null;
    const base = runDir === undefined ? join(outputRoot ?? process.cwd(), OWN_DIRECTORY) : resolve(runDir);
    return pathsIn(common && shards.length > 1 ? join(base, folder, shardName(root!)) : join(base, folder), outputRoot);
  });
}

/** By what it reads, so that another selection of shards finds what this one recorded. */
const shardName = ({ inputPath }: Root): string => `shard-${nameOfHash(hashText(inputPath)).slice(0, 12)}`;

function pathsIn(stateDir: string, outputRoot: string | null): ShardPaths {
  return {
    outputRoot,
    stateDir,
    ledgerDir: join(stateDir, "ledger"),
    leaseDir: join(stateDir, "lease"),
    runsDir: join(stateDir, "runs"),
    failedFile: join(stateDir, "failed.jsonl"),
    statsFile: join(stateDir, "stats.json"),
    inFlightDir: join(stateDir, "under-way"),
    base: outputRoot ?? stateDir,
    stagingRoot: outputRoot === null ? join(stateDir, "staging") : join(outputRoot, OWN_DIRECTORY, "staging"),
    keptRoot:
      outputRoot === null ? join(stateDir, "kept") : join(outputRoot, OWN_DIRECTORY, "kept", basename(stateDir)),
  };
}

/** The mistakes about directories that can be seen before anything is written. */
export function checkRoots(
  roots: readonly Root[],
  readsInputRoot: boolean,
  paths: readonly ShardPaths[],
): KagurazakaError[] {
  const mistakes: KagurazakaError[] = [];
  for (const { inputPath } of readsInputRoot ? roots : []) {
    const stat = statIfThere(inputPath);
    if (!stat) {
      mistakes.push(
        new KagurazakaError("input-root", `the input root ${inputPath} does not exist`, {
          where: "hard_shard_mode.input_path",
          hint: nearestExisting(inputPath),
        }),
      );
    } else if (!stat.isDirectory()) {
      mistakes.push(
        new KagurazakaError("input-root", `the input root ${inputPath} is not a directory`, {
          where: "hard_shard_mode.input_path",
        }),
      );
    }
  }
  for (const { outputRoot, stateDir } of paths) {
    const mistake = checkWritable(outputRoot, "hard_shard_mode.output_path") ?? checkWritable(stateDir, "--run-dir");
    if (mistake) mistakes.push(mistake);
  }
  return mistakes;
}

function checkWritable(dir: string | null, where: string): KagurazakaError | undefined {
  const why = dir === null ? undefined : notWritable(dir);
  return why === undefined
    ? undefined
    : new KagurazakaError("output-root", `cannot write to ${dir}: ${why}`, { where });
}

function nearestExisting(path: string): string {
  const parent = dirname(path);
  return existsSync(parent) ? `${parent} exists; the last name is missing in it.` : nearestExisting(parent);
}

/** Why nothing can be written below a directory that may not exist yet; undefined when it can. */
function notWritable(path: string): string | undefined {
  for (let at = path; ; at = dirname(at)) {
    const stat = statIfThere(at);
    if (stat === undefined && dirname(at) !== at) continue;
    if (!stat?.isDirectory()) return `${at} is not a directory`;
    try {
      accessSync(at, constants.W_OK | constants.X_OK);
      return undefined;
    } catch (error) {
      return `${at}: ${(error as NodeJS.ErrnoException).code === "EROFS" ? "read-only file system" : "permission denied"}`;
    }
  }
}

/** Undefined too where a file stands in the way: the walk upwards will meet it. */
function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
