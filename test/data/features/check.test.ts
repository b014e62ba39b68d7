import { describe, expect, test } from "vitest";
import { BadValue, createRowCheck } from "../../../src/data/features/check.js";
import {
  ClassLabel,
  type FeatureLike,
  features,
  Json,
  List,
  MapOf,
  Nullable,
} from "../../../src/data/features/feature.js";

const checked = (feature: FeatureLike, value: unknown) => createRowCheck(features({ x: feature }))({ x: value }).x;

describe("values that are taken", () => {
  const cases: [FeatureLike, unknown, unknown][] = [
    ["int8", -128, -128],
    ["uint8", 255, 255],
    ["int64", 2n ** 63n - 1n, 2n ** 63n - 1n],
    ["int64", 5n, 5],
    ["uint64", 2n ** 64n - 1n, 2n ** 64n - 1n],
    ["float32", Number.NaN, Number.NaN],
    ["float64", 3n, 3],
    ["bool", true, true],
    ["string", "", ""],
    ["binary", "aGk=", Buffer.from("hi")],
    ["date32", "2026-11-30", new Date("2026-11-30")],
    ["date32", new Date("2026-11-30T13:00:00Z"), new Date("2026-11-30")],
    ["timestamp[ms]", "2026-11-30T12:00:00+01:00", new Date("2026-11-30T11:00:00Z")],
    ["timestamp[us]", "2026-11-30T00:00:00.000001Z", 1_795_996_800_000_001n],
    ["timestamp[s]", new Date(1500), new Date(1000)],
    ["timestamp[ns]", 5n, 5n],
    ["timestamp[ns]", 5_000_000n, new Date(5)],
    ["time32[s]", "01:00:05", 3605],
    ["time64[us]", "00:00:00.000001", 1],
    ["duration[ns]", 2n ** 60n, 2n ** 60n],
    ["time64[us]", "00:00:00.000007", 7],
    ["time64[ns]", "23:59:59.999999999", 86_399_999_999_999],
    ["time32[ms]", "00:00:00.0579999", 57],
    ["decimal128(5, -2)", "1200", "1200"],
    ["decimal128(5, -2)", 0, "0"],
    ["decimal128(5, 2)", 1.5, "1.50"],
    ["decimal128(5, 2)", "-0.00", "0.00"],
    ["decimal128(5, 2)", "999.99", "999.99"],
    [Nullable("int32"), undefined, null],
    [["int32"], [1, 2], Int32Array.of(1, 2)],
    [["int64"], [1, 2n], Float64Array.of(1, 2)],
    [["int64"], [1, 2n ** 60n], BigInt64Array.of(1n, 2n ** 60n)],
    [List("float32", { length: 2 }), Float64Array.of(1, 2), Float32Array.of(1, 2)],
    [[Nullable("int32")], [1, null], [1, null]],
    [ClassLabel(["neg", "pos"]), "pos", 1],
    [ClassLabel(["neg", "pos"]), -1, -1],
    [Json(), { a: [1, { b: null }] }, { a: [1, { b: null }] }],
    [MapOf("string", "int8"), new Map([["a", 1]]), [{ key: "a", value: 1 }]],
    [{ u: "string", n: Nullable("int8") }, { u: "x" }, { u: "x", n: null }],
  ];
  test.each(cases)("%j takes %s", (feature, given, held) => expect(checked(feature, given)).toEqual(held));
});

describe("values that are refused", () => {
  const cases: [FeatureLike, unknown, RegExp][] = [
    ["int8", 128, /^column x: 128 is out of the range of int8/],
    ["int32", 1.5, /^column x: 1.5 is not int32/],
    ["int32", "1", /^column x: "1" is not int32/],
    ["int64", 2 ** 53, /beyond 2\^53 a bigint is exact/],
    ["int64", 2n ** 63n, /out of the range of int64/],
    ["string", null, /null, and string is not Nullable/],
    ["string", 5, /5 is not string/],
    ["bool", 1, /1 is not bool/],
    ["null", 1, /where all values are to be null/],
    ["binary", "no base64!", /is not bytes/],
    ["date32", "30.11.2026", /is not date32/],
    ["timestamp[ms]", "soon", /"soon" is not timestamp\[ms\]/],
    ["time32[s]", 86_400, /is not time32/],
    ["decimal128(5, 2)", "1.234", /is not decimal128/],
    ["decimal128(5, 2)", 12_345, /is not decimal128/],
    ["decimal128(5, -2)", "1234", /"1234" is not decimal128\(5, -2\)/],
    ["time32[s]", "10:75", /is not time32/],
    ["date32", "2026-02-30", /is not date32/],
    [["int32"], [1, null], /^column x\[\]: null/],
    [["int32"], 1, /is not a list/],
    [List("int32", { length: 2 }), [1], /a list of 1, where all have 2/],
    [ClassLabel(["neg", "pos"]), "pso", /none of the 2 labels. Did you mean "pos"\?/],
    [ClassLabel(["neg"]), 1, /none of the 1 labels/],
    [{ u: { v: "int8" } }, { u: { v: "a" } }, /^column x\.u\.v: "a" is not int8/],
    [{ u: "int8" }, { u: 1, w: 2 }, /^column x\.w: the features have no such field/],
    [Json(), () => 1, /^column x: a function, which is not JSON/],
    [Json(), { a: [Number.NaN] }, /^column x: NaN, which JSON cannot represent/],
  ];
  test.each(cases)("%j refuses %s", (feature, given, says) => {
    expect(() => checked(feature, given)).toThrow(BadValue);
    expect(() => checked(feature, given)).toThrow(says);
  });

  test("a column that the features do not have", () => {
    const check = createRowCheck(features({ text: "string" }));
    expect(() => check({ text: "a", txet: 1 })).toThrow(
      'column txet: the features have no such column. Did you mean "text"?',
    );
    expect(check({ text: "a", other: undefined })).toEqual({ text: "a" });
  });
});
