import { expect, test } from "vitest";
import { checkNodeOptions, type MapOptions } from "../../../src/data/map/map-job.js";

const options: MapOptions = { in: ["a"], sliceBytes: 1, onError: "fail", textErrors: "fail" };

test("a node of a fleet loads no format that a queue names by a path or a package", () => {
  expect(() => checkNodeOptions({ ...options, format: "parquet", inputFormat: "csv" })).not.toThrow();
  expect(() => checkNodeOptions({ ...options, format: "../own.mjs" })).toThrow(/--format: a node of a fleet loads no/);
  expect(() => checkNodeOptions({ ...options, inputFormat: "pkg/own" })).toThrow(/--input-format/);
});
