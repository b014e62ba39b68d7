import { expect, test } from "vitest";
import { type Batch, batchOf, type Column, rowsOf } from "../../../src/data/batch/batch.js";
import { BadValue, createRowCheck } from "../../../src/data/features/check.js";
import { ClassLabel, type FeatureLike, features, Nullable } from "../../../src/data/features/feature.js";
import { checkBatch } from "../../../src/data/writer/check-batch.js";

const schema = features({
  a: "int8",
  b: "int64",
  c: "float32",
  d: Nullable("string"),
  e: ClassLabel(["no", "yes"]),
  f: ["int16"],
});

test("gives the columns that checked rows have", () => {
  const batch: Batch = {
    length: 2,
    columns: { a: [1, 2], b: [1n, 2n ** 60n], c: Float32Array.of(1, 2), e: ["yes", 0], f: [[1], Int16Array.of(2)] },
  };
  const rows = rowsOf(batch).map(createRowCheck(schema));
  expect(checkBatch(batch, schema)).toEqual(batchOf(rows, schema));
});

test("takes a typed array of the very type as it is", () => {
  const a = Int8Array.of(1);
  const only = features({ a: "int8" });
  expect(checkBatch({ length: 1, columns: { a } }, only).columns.a).toBe(a);
  expect(() => checkBatch({ length: 1, columns: { a: Int16Array.of(300) } }, only)).toThrow(
    "300 is out of the range of int8",
  );
});

test("nothing becomes Infinity, and no integer is rounded", () => {
  const refuses = (feature: FeatureLike, column: Column): void => {
    expect(() => checkBatch({ length: 1, columns: { a: column } }, features({ a: feature }))).toThrow(BadValue);
  };
  refuses("float16", Float32Array.of(70_000));
  refuses(["float16"], [Float32Array.of(70_000)]);
  refuses("float32", Float64Array.of(1e300));
  refuses("float64", BigInt64Array.of(2n ** 60n + 1n));
  refuses("string", ["\ud83d"]);
  const half = checkBatch({ length: 2, columns: { a: Float32Array.of(1, 65_504) } }, features({ a: "float16" }));
  expect(half.columns.a).toEqual(Float32Array.of(1, 65_504));
});

test("a value that cannot be read is a bad one", () => {
  const failing = {
    get u(): number {
      throw new TypeError("getter");
    },
  };
  expect(() => checkBatch({ length: 1, columns: { a: [failing] } }, features({ a: { u: "int8" } }))).toThrow(BadValue);
  expect(() => checkBatch({ length: 1, columns: { a: [failing] } }, features({ a: "json" }))).toThrow(BadValue);
});

test("refuses unknown columns, missing ones that may not be null, and lengths that differ", () => {
  const only = features({ a: "int8" });
  expect(() => checkBatch({ length: 1, columns: { a: [1], b: [1] } }, only)).toThrow(
    "column b: the features have no such column",
  );
  expect(() => checkBatch({ length: 1, columns: {} }, only)).toThrow("column a: null");
  expect(() => checkBatch({ length: 2, columns: { a: [1] } }, only)).toThrow("1 values in a batch of 2 rows");
});
