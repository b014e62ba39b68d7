import fc from "fast-check";
import { expect, test } from "vitest";
import { createPermutation } from "../../../src/data/loader/permutation.js";

test("every index once, whatever the length", () => {
  for (const length of [0, 1, 2, 3, 5, 16, 17, 64, 255, 1000, 4097]) {
    const permute = createPermutation("seed", length);
    const seen = Array.from({ length }, (_, i) => permute(i));
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
  }
});

test("stays in the range, for lengths up to 2^52", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 52 }), fc.double({ min: 0, max: 0.999 }), (length, at) => {
      const value = createPermutation(1, length)(Math.floor(at * length));
      return Number.isSafeInteger(value) && value >= 0 && value < length;
    }),
  );
});

test("the same on every machine; another seed or length gives another one", () => {
  const first = (seed: string | number, length: number) =>
    Array.from({ length: 8 }, (_, i) => createPermutation(seed, length)(i));
  expect(first(42, 1000)).toMatchInlineSnapshot(`
    [
      796,
      930,
      681,
      343,
      998,
      674,
      891,
      293,
    ]
  `);
  expect(first(42, 1000)).not.toEqual(first(43, 1000));
  expect(first(42, 1000)).not.toEqual(first(42, 1001));
});

test("all orders of few rows come up about equally often", () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 24_000; seed++) {
    const permute = createPermutation(seed, 4);
    const order = [0, 1, 2, 3].map(permute).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(200);
});
