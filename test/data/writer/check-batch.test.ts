import { expect, test } from "vitest";
import { type Batch, batchOf, rowsOf } from "../../../src/data/batch/batch.js";
import { createRowCheck } from "../../../src/data/features/check.js";
import { ClassLabel, features, Nullable } from "../../../src/data/features/feature.js";
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

test("refuses unknown columns, missing ones that may not be null, and lengths that differ", () => {
  const only = features({ a: "int8" });
  expect(() => checkBatch({ length: 1, columns: { a: [1], b: [1] } }, only)).toThrow(
    "column b: the features have no such column",
  );
  expect(() => checkBatch({ length: 1, columns: {} }, only)).toThrow("column a: null");
  expect(() => checkBatch({ length: 2, columns: { a: [1] } }, only)).toThrow("1 values in a batch of 2 rows");
});
