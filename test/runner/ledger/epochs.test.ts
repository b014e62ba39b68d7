import { describe, expect, test } from "vitest";
import { hashUnit, shardOf } from "../../../src/base/hash.js";
import { softWithin } from "../../../src/runner/ledger/epochs/epoch-scope.js";
import {
  createEpochBook,
  decideForce,
  type EpochRecord,
  loadLedger,
  openLedger,
  packKeys,
  sameScope,
} from "../../../src/runner/ledger/index.js";
import { header, tempDir } from "./header.js";

/** Enough of a glob for these tests: a prefix with a star. */
const matchGlobs = (patterns: readonly string[]) => (key: string) =>
  patterns.some((pattern) => key.startsWith(pattern.replace(/\*.*$/, "")));
const opened = (epoch: number, more: Partial<EpochRecord> = {}): EpochRecord => ({
  epoch,
  scope: {},
  partial: false,
  complete: false,
  ...more,
});
const book = (records: EpochRecord[], soft: EpochRecord["scope"]["soft"] = []) =>
  createEpochBook({ records, soft, matchGlobs });

describe("epochs", () => {
  test("without --force there is epoch 0 and no key is required", () => {
    expect(book([]).current).toBe(0);
    expect(book([]).requiredEpoch("a")).toBe(0);
  });

  test("a plain run asks for the highest epoch whose scope contains the key, complete or not", () => {
    const { current, requiredEpoch } = book([
      opened(1),
      opened(2, { scope: { only: ["txt/*"] }, complete: true }),
      opened(3, { scope: { only: ["img/*"] } }),
    ]);
    expect(current).toBe(3);
    expect(["txt/a", "img/a", "b"].map(requiredEpoch)).toEqual([2, 3, 1]);
  });

  test("shards, samples and named keys narrow an epoch by the key alone", () => {
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
    const sharded = book([opened(1, { scope: { shard: { index: 1, of: 3 } } })]);
    const sampled = book([opened(1, { scope: { samplePercent: 20 } })]);
    const named = book([opened(1, { scope: { keys: packKeys(["k7", "k5", "k7"]) } })]);
    const both = book([opened(1, { scope: { samplePercent: 20, only: ["k1*"] } })]);
    for (const key of keys) {
      expect(sharded.requiredEpoch(key)).toBe(shardOf(key, 3) === 1 ? 1 : 0);
      expect(sampled.requiredEpoch(key)).toBe(hashUnit(key) < 0.2 ? 1 : 0);
      expect(named.requiredEpoch(key)).toBe(key === "k5" || key === "k7" ? 1 : 0);
      expect(both.requiredEpoch(key)).toBe(hashUnit(key) < 0.2 && key.startsWith("k1") ? 1 : 0);
    }
  });

  test("a partial epoch makes nothing stale for later runs, yet its number is used", () => {
    const plain = book([opened(1, { partial: true })]);
    expect([plain.current, plain.requiredEpoch("a")]).toEqual([1, 0]);
    const forced = decideForce({ records: [opened(1, { partial: true })], mode: "continue", scope: {}, partial: true });
    expect(forced).toEqual({ epoch: 2, scope: {}, partial: true, opens: true });
    const own = createEpochBook({ records: [opened(1, { partial: true })], soft: [], matchGlobs, forced });
    expect([own.current, own.requiredEpoch("a")]).toEqual([2, 2]);
  });

  test.each([
    ["opens epoch 1 on a fresh root", [], "continue", {}, 1, true],
    ["goes on with an epoch that is not complete", [opened(1)], "continue", {}, 1, false],
    ["opens the next one after a complete one", [opened(1, { complete: true })], "continue", {}, 2, true],
    [
      "goes on with its own scope's epoch below a newer one",
      [opened(1), opened(2, { scope: { only: ["a*"] } })],
      "continue",
      {},
      1,
      false,
    ],
    ["opens one for a scope of its own", [opened(1)], "continue", { only: ["a*"] }, 2, true],
    ["`new` always opens", [opened(1)], "new", {}, 2, true],
    ["the last epoch of a scope decides", [opened(1), opened(2, { complete: true })], "continue", {}, 3, true],
  ] as const)("--force %s", (_title, records, mode, scope, epoch, opens) => {
    expect(decideForce({ records: [...records], mode, scope, partial: false })).toEqual({
      epoch,
      scope,
      partial: false,
      opens,
    });
  });

  test("a run that continues an old epoch records in the newest one and obeys that too", () => {
    const records = [opened(1), opened(2, { scope: { only: ["a*"] } })];
    const forced = decideForce({ records, mode: "continue", scope: {}, partial: false });
    const { current, requiredEpoch } = createEpochBook({ records, soft: [], matchGlobs, forced });
    expect([current, requiredEpoch("a1"), requiredEpoch("b1")]).toEqual([2, 2, 1]);
  });

  test.each([
    ["everything is within everything", [], [], true],
    ["a part is within everything", [{ indices: [0], of: 2 }], [], true],
    ["everything is not within a part", [], [{ indices: [0], of: 2 }], false],
    ["everything is within one of one", [], [{ indices: [0], of: 1 }], true],
    ["fewer indices are within more", [{ indices: [1], of: 4 }], [{ indices: [0, 1], of: 4 }], true],
    ["other indices are not", [{ indices: [2], of: 4 }], [{ indices: [0, 1], of: 4 }], false],
    ["another division is not comparable", [{ indices: [0], of: 8 }], [{ indices: [0], of: 4 }], false],
    [
      "a deeper level narrows",
      [
        { indices: [0], of: 4 },
        { indices: [1], of: 2 },
      ],
      [{ indices: [0], of: 4 }],
      true,
    ],
    [
      "below other indices the levels do not compare",
      [
        { indices: [0], of: 4 },
        { indices: [1], of: 2 },
      ],
      [
        { indices: [0, 1], of: 4 },
        { indices: [1], of: 2 },
      ],
      false,
    ],
  ] as const)("soft shards: %s", (_title, inner, outer, within) => {
    expect(softWithin(inner, outer)).toBe(within);
  });

  test("an epoch of a soft shard binds runs over it or over a part of it, and no others", () => {
    const records = [opened(1, { scope: { soft: [{ indices: [0, 1], of: 4 }] } })];
    expect(book(records, [{ indices: [1], of: 4 }]).requiredEpoch("a")).toBe(1);
    expect(book(records, [{ indices: [2], of: 4 }]).requiredEpoch("a")).toBe(0);
    expect(book(records).requiredEpoch("a")).toBe(0);
  });

  test("spelling does not make another scope", () => {
    expect(sameScope({ only: ["b", "a"], samplePercent: 100 }, { only: ["a", "b"], shard: { index: 0, of: 1 } })).toBe(
      true,
    );
    expect(sameScope({ soft: [{ indices: [1, 0], of: 3 }] }, { soft: [{ indices: [0, 1], of: 3 }] })).toBe(true);
    expect(sameScope({ keys: packKeys(["a", "b"]) }, { keys: packKeys(["b", "a"]) })).toBe(true);
    expect(sameScope({ shard: { index: 0, of: 2 } }, { shard: { index: 1, of: 2 } })).toBe(false);
  });

  test("open and complete lines come back from the ledger, two shards' epochs of one number apart", async () => {
    const dir = tempDir();
    for (const index of [0, 1]) {
      await using ledger = openLedger({ dir, header: header(`r${index}`, 1, { epoch: 1 }), durable: false });
      const scope = { shard: { index, of: 2 } };
      ledger.appendEpochOpen({ epoch: 1, scope });
      if (index === 0) ledger.appendEpochComplete({ epoch: 1, scope });
    }
    const { epochs } = await loadLedger(dir);
    expect(epochs).toEqual([
      { epoch: 1, scope: { shard: { index: 0, of: 2 } }, partial: false, complete: true },
      { epoch: 1, scope: { shard: { index: 1, of: 2 } }, partial: false, complete: false },
    ]);
  });
});
