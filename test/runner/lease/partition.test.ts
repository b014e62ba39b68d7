import { describe, expect, test } from "vitest";
import type { Partition } from "../../../src/contracts/partition.js";
import { areDisjoint, partitionName } from "../../../src/runner/lease/index.js";

const all: Partition = { soft: [], hash: null };
const hash = (index: number, of: number): Partition => ({ soft: [], hash: { index, of } });
const soft = (...levels: [number[], number][]): Partition => ({
  soft: levels.map(([indices, of]) => ({ indices, of })),
  hash: null,
});
const both = (a: Partition, b: Partition): Partition => ({ soft: a.soft, hash: b.hash });

describe("shards on one root", () => {
  test.each<[string, Partition, Partition, boolean]>([
    ["everything and everything", all, all, false],
    ["everything and a hash shard", all, hash(0, 2), false],
    ["everything and a soft shard", all, soft([[0], 2]), false],
    ["two hash shards of one N", hash(0, 3), hash(2, 3), true],
    ["the same hash shard", hash(1, 3), hash(1, 3), false],
    ["hash shards of different N", hash(0, 2), hash(1, 4), false],
    ["disjoint soft shards", soft([[0, 1], 4]), soft([[2, 3], 4]), true],
    ["overlapping soft shards", soft([[0, 1], 4]), soft([[1, 2], 4]), false],
    ["soft shards of different N", soft([[0], 4]), soft([[1], 8]), false],
    ["the same soft shard", soft([[0], 4]), soft([[0], 4]), false],
    ["disjoint below equal levels", soft([[0], 4], [[0], 2]), soft([[0], 4], [[1], 2]), true],
    [
      "disjoint below equal levels, indices in another order",
      soft([[1, 0], 4], [[0], 2]),
      soft([[0, 1], 4], [[1], 2]),
      true,
    ],
    ["disjoint below overlapping levels", soft([[0, 1], 4], [[0], 2]), soft([[0], 4], [[1], 2]), false],
    ["disjoint above whatever is below", soft([[0], 4], [[0], 2]), soft([[1], 4], [[0], 3]), true],
    ["a soft shard and its part", soft([[0], 4]), soft([[0], 4], [[1], 2]), false],
    ["a soft and a hash shard", soft([[0], 2]), hash(1, 2), false],
    ["disjoint by hash, the same soft shard", both(soft([[0], 2]), hash(0, 2)), both(soft([[0], 2]), hash(1, 2)), true],
    [
      "disjoint by position, the same hash shard",
      both(soft([[0], 2]), hash(0, 2)),
      both(soft([[1], 2]), hash(0, 2)),
      true,
    ],
    ["disjoint by hash, one with a soft shard as well", both(soft([[0], 2]), hash(0, 2)), hash(1, 2), true],
  ])("%s: both may work = %j", (_title, a, b, expected) => {
    expect(areDisjoint(a, b)).toBe(expected);
    expect(areDisjoint(b, a)).toBe(expected);
  });

  test.each<[Partition, string]>([
    [all, "all"],
    [hash(0, 1), "all"],
    [hash(2, 8), "shard-2-of-8"],
    [soft([[3, 1], 4], [[0], 2]), "soft-1.3-of-4+soft-0-of-2"],
    [both(soft([[0], 2]), hash(1, 2)), "soft-0-of-2+shard-1-of-2"],
  ])("%j is named %s", (partition, name) => {
    expect(partitionName(partition)).toBe(name);
  });

  test("a name that would be too long for a directory is a hash, the same for the same partition", () => {
    const indices = Array.from({ length: 400 }, (_, i) => i);
    expect(partitionName(soft([indices, 1000]))).toMatch(/^scope-[0-9a-f]{32}$/);
    expect(partitionName(soft([[...indices].reverse(), 1000]))).toBe(partitionName(soft([indices, 1000])));
  });
});
