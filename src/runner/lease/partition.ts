import { sha256Hex } from "../../base/hash.js";
import type { SoftPartition } from "../../contracts/modes.js";
import type { Partition } from "../../contracts/partition.js";

const MAX_NAME = 80;

/** A directory name: `all`, `shard-0-of-4`, `soft-0.1-of-8`; equal partitions have equal names. */
export function partitionName({ soft: levels, hash: shard }: Partition): string {
  const soft = levels
    .filter((level) => level.of > 1)
    .map((level) => `soft-${sortedIndices(level.indices).join(".")}-of-${level.of}`);
  const hash = shard !== null && shard.of > 1 ? [`shard-${shard.index}-of-${shard.of}`] : [];
  const name = [...soft, ...hash].join("+") || "all";
  return name.length <= MAX_NAME ? name : `scope-${sha256Hex(name).slice(0, 32)}`;
}

/** Two runs may share a root when no item can belong to both: disjoint by hash of key, or disjoint by position. */
export function areDisjoint(a: Partition, b: Partition): boolean {
  return hashDisjoint(a.hash, b.hash) || softDisjoint(a.soft, b.soft);
}

function hashDisjoint(a: Partition["hash"], b: Partition["hash"]): boolean {
  return a !== null && b !== null && a.of === b.of && a.index !== b.index;
}

/** A deeper level divides the selection of the level above, so two levels compare only if the levels above are equal. */
function softDisjoint(a: SoftPartition, b: SoftPartition): boolean {
  for (let depth = 0; depth < Math.min(a.length, b.length); depth++) {
    const one = a[depth]!;
    const two = b[depth]!;
    if (one.of !== two.of) return false;
    const indices = new Set(two.indices);
    const shared = new Set(one.indices.filter((index) => indices.has(index))).size;
    if (shared === 0) return true;
    if (shared !== indices.size || shared !== new Set(one.indices).size) return false;
  }
  return false;
}

const sortedIndices = (indices: readonly number[]): number[] => [...new Set(indices)].sort((a, b) => a - b);
