import { hashUnit, shardOf } from "../../base/hash.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { compileGlobs, compileReach } from "../../data/globs/globs.js";
import { readKeys } from "../../data/key-list.js";

/** Returns why an item is not selected; null: it is. Depends on the key alone. */
export type KeyFilter = (key: string) => string | null;

/** `--shard`, `--only`, `--keys` and `--sample P%`, in that order. */
export function createKeyFilter(settings: RunSettings): KeyFilter {
  const filters: KeyFilter[] = [];
  const { shard, only, keys, sample } = settings;
  if (shard)
    filters.push((key) =>
      shardOf(key, shard.of) === shard.index ? null : `--shard: it is in part ${shardOf(key, shard.of)} of ${shard.of}`,
    );
  if (only.length > 0) {
    const matches = compileGlobs(only);
    filters.push((key) => (matches(key) ? null : "--only: no pattern matches"));
  }
  if (keys !== undefined) {
    const wanted = readKeys(keys);
    filters.push((key) => (wanted.has(key) ? null : `--keys: not in ${String(keys)}`));
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
export function createReach({ only, keys }: RunSettings): (dir: string) => boolean {
  const reaches = only.length === 0 ? undefined : compileReach(only);
  const wanted = keys === undefined ? undefined : [...readKeys(keys)];
  return (dir) => (reaches?.(dir) ?? true) && (wanted?.some((key) => key.startsWith(dir)) ?? true);
}
