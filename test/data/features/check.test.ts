import { describe, expect, test } from "vitest";
import type { Row } from "../../../src/data/batch/batch.js";
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
    ["float64", 10n ** 20n, 1e20],
    ["float32", 0.1, 0.1],
    ["float32", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ["float16", 65_519, 65_519],
    ["float16", -Number.POSITIVE_INFINITY, -Number.POSITIVE_INFINITY],
    ["string", "x\ud83d\ude00", "x\ud83d\ude00"],
    ["json", { a: "\ud83d" }, { a: "\ud83d" }],
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
    ["float64", 2n ** 53n + 1n, /9007199254740993 would be rounded as float64/],
    [["float64"], BigInt64Array.of(2n ** 60n + 1n), /^column x\[\]: 1152921504606846977 would be rounded/],
    ["float64", 10n ** 399n, /would be rounded as float64/],
    ["float32", 1e300, /1e\+300 is out of the range of float32/],
    ["float32", -(2 ** 128 - 2 ** 103), /out of the range of float32/],
    ["float16", 70_000, /70000 is out of the range of float16/],
    [["float16"], Float32Array.of(70_000), /^column x\[\]: 70000 is out of the range of float16/],
    [{ u: ["float32"] }, { u: Float64Array.of(1e300) }, /^column x\.u\[\]: 1e\+300 is out of the range of float32/],
    ["string", "x\ud83d", /a text with a lone surrogate, \\ud83d at index 1/],
    ["large_string", "\u{1f600}\udc00y", /\\udc00 at index 2/],
    [MapOf("string", "int8"), new Map([["\ud83d", 1]]), /^column x\.key: a text with a lone surrogate/],
    [{ u: Nullable("int8") }, Promise.resolve(), /a Promise is not \{u: int8\?\}/],
    [{ u: Nullable("int8") }, new Date(), /a Date is not \{u: int8\?\}/],
    [{ user: "int8" }, { usr: 1 }, /^column x\.usr: the features have no such field\. Did you mean "user"\?/],
  ];
  test.each(cases)("%j refuses %s", (feature, given, says) => {
    expect(() => checked(feature, given)).toThrow(BadValue);
    expect(() => checked(feature, given)).toThrow(says);
  });

  test("a name that is misspelt, and one that is missing", () => {
    const check = createRowCheck(features({ text: "string", n: "int8" }));
    expect(() => check({ txet: "a", n: 1 })).toThrow(
      'column txet: the features have no such column. Did you mean "text"?',
    );
    expect(() => check({ n: 1 })).toThrow("column text: null, and string is not Nullable");
    expect(() => check({ n: "a", txet: "a", text: "b" })).toThrow('column n: "a" is not int8');
  });

  test("what the prototype of a class has is no field", () => {
    class Point {
      a = 1;
    }
    Object.assign(Point.prototype, { b: 1 });
    expect(createRowCheck(features({ a: "int8" }))(new Point())).toEqual({ a: 1 });
  });

  test("a field that cannot be read, at any depth", () => {
    const failing = {
      get u(): number {
        throw new TypeError("getter");
      },
    };
    expect(() => createRowCheck(features({ u: "int8" }))(failing)).toThrow(
      new BadValue("u", "it cannot be read: getter"),
    );
    expect(() => createRowCheck(features({}))(failing)).toThrow(new BadValue("u", "it cannot be read: getter"));
    expect(() => checked({ u: "int8" }, failing)).toThrow(new BadValue("x.u", "it cannot be read: getter"));
    expect(() => checked([Json()], [failing])).toThrow(BadValue);
    const circle: Record<string, unknown> = {};
    circle.circle = circle;
    expect(() => checked(Json(), circle)).toThrow(BadValue);
  });

  test.each([
    [null, "null"],
    [[1], "an array"],
    [new Date(), "a Date"],
    [new Map(), "a Map"],
    [Int8Array.of(1), "an Int8Array"],
    [Promise.resolve({}), "a Promise"],
    [Object("a"), "a String"],
    [new URL("http://a/"), "a URL with toJSON"],
  ])("%# is not a row", (row, name) => {
    const check = createRowCheck(features({ a: Nullable("int8") }));
    expect(() => check(row as Row)).toThrow(`column (row): ${name} is not a row`);
  });

  test("a column that the features do not have", () => {
    const check = createRowCheck(features({ text: "string" }));
    expect(() => check({ text: "a", txet: 1 })).toThrow(
      'column txet: the features have no such column. Did you mean "text"?',
    );
    expect(check({ text: "a", other: undefined })).toEqual({ text: "a" });
  });
});
