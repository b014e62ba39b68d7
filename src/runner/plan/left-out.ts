import { resolve } from "node:path";
import { holdsOnlyState } from "../../data/files/walk.js";

interface OwnDirectories {
  readonly outputRoot: string | null;
  readonly stateDir: string;
}

/**
 * Directories that are no input: of outputs and of state. One given with `--run-dir` is left out whole, unless it has something
 * else in it.
 */
export function leftOutOf(shards: readonly OwnDirectories[], runDir: string | undefined): string[] {
  const states = shards.map(({ stateDir }) => stateDir);
  const dirs = [...shards.flatMap(({ outputRoot }) => outputRoot ?? []), ...states];
  if (runDir === undefined || !holdsOnlyState(resolve(runDir), states)) return dirs;
  return [...dirs, resolve(runDir)];
}
