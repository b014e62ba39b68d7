import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SoftShard } from "../../templates/index.js";

const { selector, scope } = SoftShard.definition;

interface Level {
  readonly shardIdx: number | readonly number[];
  readonly shardNum: number;
}

/** The spec read aloud: keep every item whose place in the list so far is wanted, then look again at what is left. */
function bruteForce(levels: readonly Level[], count: number): number[] {
  let left = Array.from({ length: count }, (_, i) => i);
  for (const { shardIdx, shardNum } of levels) {
    left = left.filter((_, position) => [shardIdx].flat().includes(position % shardNum));
  }
  return left;
}

const nest = (levels: readonly Level[]): Record<string, unknown> => ({
  ...levels[0]!,
  subshard: levels.length > 1 ? nest(levels.slice(1)) : null,
});

const level = fc.integer({ min: 1, max: 7 }).chain((shardNum) => {
  const index = fc.integer({ min: 0, max: shardNum - 1 });
  return fc.record({
    shardIdx: fc.oneof(index, fc.uniqueArray(index, { minLength: 1 })),
    shardNum: fc.constant(shardNum),
  });
});

test("selects what the formula says, at any depth", () => {
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 4 }), (levels) => {
      const isIn = selector(nest(levels));
      const selected = Array.from({ length: 300 }, (_, i) => i).filter(isIn);
      expect(selected).toEqual(bruteForce(levels, 300));
    }),
    { numRuns: 500 },
  );
});

test("the parts of a level are disjoint and together everything", () => {
  fc.assert(
    fc.property(level, fc.integer({ min: 1, max: 5 }), (outer, parts) => {
      const whole = bruteForce([outer], 200);
      const found = Array.from({ length: parts }, (_, shardIdx) => {
        const isIn = selector(nest([outer, { shardIdx, shardNum: parts }]));
        return whole.filter(isIn);
      });
      expect(found.flat().sort((a, b) => a - b)).toEqual(whole);
    }),
    { numRuns: 200 },
  );
});

describe("the example of the table", () => {
  test("rank counts from 0: half of shards 1 and 3 of 4", () => {
    const isIn = selector({ shardIdx: [3, 1], shardNum: 4, subshard: { shardIdx: 0, shardNum: 2 } });
    expect(Array.from({ length: 16 }, (_, i) => i).filter(isIn)).toEqual([1, 5, 9, 13]);
  });

  test("the default takes all", () => {
    expect([0, 1, 2, 99].every(selector({ shardIdx: 0, shardNum: 1, subshard: null }))).toBe(true);
    expect(scope({ shardIdx: 0, shardNum: 1, subshard: null })).toEqual([]);
  });

  test("a subshard is written as a mode, in camelCase, snake_case or kebab-case", () => {
    for (const subshard of [
      SoftShard({ shardIdx: 1, shardNum: 2 }),
      { shardIdx: 1, shardNum: 2 },
      { shard_idx: 1, shard_num: 2 },
      { "shard-idx": [1], "shard-num": 2 },
    ]) {
      expect(scope({ shardIdx: 0, shardNum: 4, subshard })).toEqual([
        { indices: [0], of: 4 },
        { indices: [1], of: 2 },
      ]);
    }
  });

  test("scope is sorted and leaves out levels that take all", () => {
    expect(scope({ shardIdx: [1, 0], shardNum: 2, subshard: { shardIdx: [2, 0], shardNum: 3 } })).toEqual([
      { indices: [0, 2], of: 3 },
    ]);
  });
});

test.each([
  [{ shardIdx: 4, shardNum: 4 }, "soft_shard.shard_idx is 4"],
  [{ shardIdx: -1, shardNum: 4 }, "from 0 to 3"],
  [{ shardIdx: 0.5, shardNum: 4 }, "soft_shard.shard_idx is 0.5"],
  [{ shardIdx: [0, 0], shardNum: 4 }, "distinct"],
  [{ shardIdx: [], shardNum: 4 }, "at least one"],
  [{ shardIdx: 0, shardNum: 0 }, "soft_shard.shard_num is 0"],
  [{ shardIdx: 0, shardNum: 4, subshard: { shardIdx: 2, shardNum: 2 } }, "soft_shard.subshard.shard_idx is 2"],
  [{ shardIdx: 0, shardNum: 4, subshard: { shard_ix: 2 } }, 'Did you mean "shard_idx"'],
  [{ shardIdx: 0, shardNum: 4, subshard: { shardIdx: 0, shard_idx: 1, shardNum: 2 } }, "shardIdx once"],
  [{ shardIdx: 0, shardNum: 4, subshard: [1, 2] }, "soft_shard.subshard is [1,2]"],
  [{ shardIdx: 0, shardNum: 4, subshard: { use: "NoHardShard" } }, "SoftShard"],
])("%j is refused", (fields, message) => {
  for (const ask of [selector, scope]) {
    expect(() => ask(fields)).toThrow(
      expect.objectContaining({ code: "bad-value", message: expect.stringContaining(message) }),
    );
  }
});
