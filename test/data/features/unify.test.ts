import { describe, expect, test } from "vitest";
import {
  ClassLabel,
  type FeatureLike,
  features,
  featureText,
  List,
  Nullable,
} from "../../../src/data/features/feature.js";
import { unifyFeatures } from "../../../src/data/features/unify.js";

const united = (a: FeatureLike, b: FeatureLike) =>
  featureText(unifyFeatures(features({ x: a }), features({ x: b })).x!);

describe("the features of two files", () => {
  const cases: [FeatureLike, FeatureLike, string][] = [
    ["int8", "int32", "int32"],
    ["uint8", "int8", "int16"],
    ["uint32", "int8", "int64"],
    ["int64", "float32", "float64"],
    ["int8", "float16", "float16"],
    ["int16", "float16", "float32"],
    ["string", "large_string", "large_string"],
    ["date32", "date64", "date64"],
    ["null", "string", "string?"],
    [Nullable("int8"), "int8", "int8?"],
    [["int8"], ["int16"], "list<int16>"],
    [List("int8", { length: 2 }), List("int8", { length: 3 }), "list<int8>"],
    [ClassLabel(["a"]), ClassLabel(["a", "b"]), "label(a, b)"],
    [{ u: "int8" }, { v: "string" }, "{u: int8?, v: string?}"],
  ];
  test.each(cases)("%j and %j are widened", (a, b, both) => {
    expect(united(a, b)).toBe(both);
    // The order of fields aside, it is the same the other way round.
    if (!both.startsWith("{")) expect(united(b, a)).toBe(both);
  });

  const conflicts: [FeatureLike, FeatureLike][] = [
    ["uint64", "int8"],
    ["uint64", "int64"],
    ["string", "int8"],
    ["bool", "int8"],
    ["timestamp[us]", "timestamp[us, tz=UTC]"],
    [["int8"], "int8"],
    [ClassLabel(["a"]), ClassLabel(["b"])],
  ];
  test.each(conflicts)("%j and %j contradict each other", (a, b) => {
    expect(() => united(a, b)).toThrow(/^column x is .+ and .+$/);
  });
});
