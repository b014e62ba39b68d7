import { fingerprintHigh, fingerprintLow, hashText, hashUnit, shardOf } from "../../../base/hash.js";
import type { SoftPartition } from "../../../contracts/modes.js";
import { FingerprintTable } from "../fingerprint-table.js";
import type { EpochSelection } from "../lines.js";

/** Compiles globs to a test for keys. The caller passes the glob engine, because workers must not load it. */
export type MatchGlobs = (patterns: readonly string[]) => (key: string) => boolean;

/** The canonical text of a scope: sorted globs and indices, without fields that select everything. */
function scopeText(scope: EpochSelection): string {
  const { shard, only, samplePercent, keys } = scope;
  const soft = (scope.soft ?? [])
    .filter((level) => level.of > 1)
    .map((level) => [[...new Set(level.indices)].sort((a, b) => a - b), level.of]);
  return JSON.stringify([
    shard && shard.of > 1 ? [shard.index, shard.of] : null,
    soft,
    [...new Set(only ?? [])].sort(),
    samplePercent === undefined || samplePercent >= 100 ? null : samplePercent,
    keys ?? null,
  ]);
}

export const sameScope = (a: EpochSelection, b: EpochSelection): boolean => scopeText(a) === scopeText(b);

/**
 * Whether a key is in a scope. Soft shards are ignored: they depend on the position of an item, which the ledger does not
 * have, and are compared for a whole run (`softWithin`). undefined: the scope has every key.
 */
export function scopePredicate(scope: EpochSelection, matchGlobs: MatchGlobs): ((key: string) => boolean) | undefined {
  const tests: ((key: string) => boolean)[] = [];
  const { shard, only, samplePercent, keys } = scope;
  if (shard && shard.of > 1) tests.push((key) => shardOf(key, shard.of) === shard.index);
  if (samplePercent !== undefined && samplePercent < 100) tests.push((key) => hashUnit(key) < samplePercent / 100);
  if (only && only.length > 0) tests.push(matchGlobs(only));
  if (keys !== undefined) tests.push(unpackKeys(keys));
  if (tests.length < 2) return tests[0];
  return (key) => tests.every((test) => test(key));
}

/**
 * Whether a run over `inner` has no item outside `outer`. A deeper level divides the selection of the level above, so levels
 * compare only if the levels above are equal.
 */
export function softWithin(inner: SoftPartition, outer: SoftPartition): boolean {
  for (const [depth, level] of outer.entries()) {
    const own = inner[depth];
    if (own === undefined || own.of !== level.of) return level.of <= 1 && softWithin(inner, outer.slice(depth + 1));
    const selected = new Set(level.indices);
    if (!own.indices.every((index) => selected.has(index))) return false;
    const narrower = new Set(own.indices).size < selected.size;
    if (narrower) return outer.length === depth + 1;
  }
  return true;
}

/** Keys as the base64 of their sorted 64-bit fingerprints: a scope of a million keys is a line of 11 MB, not of 60. */
export function packKeys(keys: Iterable<string>): string {
  const prints: bigint[] = [];
  for (const key of keys) {
    const hash = hashText(key);
    prints.push((BigInt(fingerprintHigh(hash)) << 32n) | BigInt(fingerprintLow(hash)));
  }
  const sorted = new BigUint64Array([...new Set(prints)]).sort();
  return Buffer.from(sorted.buffer).toString("base64");
}

function unpackKeys(packed: string): (key: string) => boolean {
  const bytes = Buffer.from(packed, "base64");
  const table = new FingerprintTable();
  for (let at = 0; at + 8 <= bytes.length; at += 8) table.set(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4), 1);
  return (key) => {
    const hash = hashText(key);
    return table.find(fingerprintLow(hash), fingerprintHigh(hash)) !== 0;
  };
}
