import { describe, expect, test } from "vitest";
import { itemsPerWorker, MeanDuration, shareOf } from "../../../src/runner/dispatch/chunk-size.js";

describe("items to keep at one worker", () => {
  test.each<[number | undefined, number, number, string]>([
    [undefined, 3, 3, "its slots, before anything is measured"],
    [5000, 3, 3, "its slots, where items are slow"],
    [100, 2, 2, "its slots, at 100 ms"],
    [99, 2, 4, "two a slot, just below"],
    [25, 2, 8, "100 ms of work for each slot"],
    [0, 1, 2048, "2048 for one slot, where items take no time"],
    [0, 64, 8192, "8192 for all slots together"],
    [0, 10_000, 10_000, "never fewer than its slots"],
  ])("%s ms in %i slots: %i, which is %s", (meanMs, slots, items, _what) => {
    expect(itemsPerWorker(meanMs, slots)).toBe(items);
  });
});

describe("a hungry worker's share", () => {
  test.each([
    [90, 4, 3, false, 30, "an even part while the list goes on"],
    [90, 3, 1, true, 15, "half of an even part at the end of the list"],
    [1, 8, 8, true, 1, "one item at least"],
  ])(
    "of %i ready items, %i workers, %i of them hungry, ended %s: %i, which is %s",
    (ready, all, hungry, ended, share, _what) => {
      expect(shareOf(ready, all, hungry, ended)).toBe(share);
    },
  );
});

describe("the time of one item", () => {
  test("is that of the first batch, then moves towards each new one, by its size up to a half", () => {
    const mean = new MeanDuration();
    expect(mean.ms).toBeUndefined();
    mean.add(100, 10);
    expect(mean.ms).toBe(10);
    mean.add(20, 1);
    expect(mean.ms).toBeCloseTo(11);
    mean.add(3100, 100);
    expect(mean.ms).toBeCloseTo(21);
  });

  test("does not move for a message without outcomes", () => {
    const mean = new MeanDuration();
    mean.add(0, 0);
    expect(mean.ms).toBeUndefined();
  });
});
