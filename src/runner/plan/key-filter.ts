import { hashUnit, shardOf } from "../../base/hash.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { compileGlobs, compileReach } from "../../data/globs/globs.js";

/** Returns why an item is not selected; null: it is. Depends on the key alone. */
export type KeyFilter = (key: string) => string | null;

/** `--shard`, `--only`, `--keys` and `--sample P%`, in that order. */
export function createKeyFilter(settings: RunSettings): KeyFilter {
  const filters: KeyFilter[] = [];
  const { shard, only, sample } = settings;
  const keys = keysOf(settings);
  if (shard)
    filters.push((key) =>
      shardOf(key, shard.of) === shard.index ? null : `--shard: it is in part ${shardOf(key, shard.of)} of ${shard.of}`,
    );
  if (only.length > 0) {
    const matches = compileGlobs(only);
    filters.push((key) => (matches(key) ? null : "--only: no pattern matches"));
  }
  if (keys !== undefined) {
    const wanted = new Set(keys);
    filters.push((key) => (wanted.has(key) ? null : "--keys: it is not among them"));
  }
  if (sample && "percent" in sample) {
    const share = sample.percent / 100;
    filters.push((key) => (hashUnit(key) < share ? null : `--sample: not in the ${sample.percent}%`));
  }
  return (key) => {
    for (const filter of filters) {
      const out = filter(key);
      if (out !== null) return out;
    }
    return null;
  };
}

/**
 * Whether a directory, by its path with a slash, may have items that `--only` and `--keys` select. `--shard` and `--sample`
 * take some of every directory.
 */
export function createReach(settings: RunSettings): (dir: string) => boolean {
  const { only } = settings;
  const keys = keysOf(settings);
  const reaches = only.length === 0 ? undefined : compileReach(only);
  const parents = keys && directoriesOf(keys);
  return (dir) => (reaches?.(dir) ?? true) && (parents?.has(dir) ?? true);
}

/** They were read when the run was prepared. */
const keysOf = ({ keys }: RunSettings): readonly string[] | undefined => keys as readonly string[] | undefined;

/** The directories above the keys, with a slash at their ends. */
function directoriesOf(keys: readonly string[]): ReadonlySet<string> {
  const dirs = new Set<string>();
  for (const key of keys)
    for (let end = key.lastIndexOf("/"); end >= 0; end = key.lastIndexOf("/", end - 1)) {
      const dir = key.slice(0, end + 1);
      if (dirs.has(dir)) break;
      dirs.add(dir);
      if (end === 0) break;
    }
  return dirs;
}
