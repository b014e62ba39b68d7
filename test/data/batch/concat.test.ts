import { expect, test } from "vitest";
import { rowsOf } from "../../../src/data/batch/batch.js";
import { concatBatches, joinValues } from "../../../src/data/batch/concat.js";

const joined = (...parts: ArrayLike<unknown>[]): unknown[] =>
  rowsOf(concatBatches(parts.map((x) => ({ length: x.length, columns: { x: x as readonly unknown[] } })))).map(
    ({ x }) => x,
  );

test("integers within 2^53 are numbers in rows, whatever they are joined with", () => {
  expect(joined(BigInt64Array.of(2n ** 60n, 5n), [null, 7])).toEqual([2n ** 60n, 5, null, 7]);
  expect(joined(BigUint64Array.of(2n ** 63n, 5n), Float64Array.of(7))).toEqual([2n ** 63n, 5, 7]);
  expect(joined(BigInt64Array.of(-(2n ** 60n)), BigUint64Array.of(2n ** 63n))).toEqual([-(2n ** 60n), 2n ** 63n]);
});

test("the type of the whole holds the values of all parts", () => {
  expect(joinValues([Float64Array.of(1), BigInt64Array.of(2n ** 60n)])).toEqual(BigInt64Array.of(1n, 2n ** 60n));
  expect(joinValues([Float32Array.of(1.5), Float64Array.of(0.1)])).toEqual(Float64Array.of(1.5, 0.1));
  expect(joinValues([Int8Array.of(-1), Uint32Array.of(4e9)])).toEqual(Float64Array.of(-1, 4e9));
  expect(joinValues([Float64Array.of(1.5), BigInt64Array.of(2n ** 60n)])).toEqual([1.5, 2n ** 60n]);
});
