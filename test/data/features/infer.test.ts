import { describe, expect, test } from "vitest";
import { type Features, features, featureText } from "../../../src/data/features/feature.js";
import { FeatureInference } from "../../../src/data/features/infer.js";

function infer(...rows: Record<string, unknown>[]): Record<string, string> {
  const inference = new FeatureInference();
  for (const [i, row] of rows.entries()) inference.add(row, () => `a.jsonl:${i + 1}`);
  return Object.fromEntries(
    Object.entries(inference.features as Features).map(([name, feature]) => [name, featureText(feature)]),
  );
}

describe("inference over mixed JSON", () => {
  test.each([
    ["an integer, then a float", [1, 1.5], "float64?"],
    ["null first", [null, null, "a"], "string?"],
    ["nulls alone", [null, null], "null?"],
    ["a large integer", [1, 2n ** 60n], "int64?"],
    ["a very large one", [2n ** 63n], "uint64?"],
    ["-0 is a float", [-0], "float64?"],
    ["a number beyond 2^53 is a float", [1e300, 1e20], "float64?"],
    ["an integer beyond 64 bits that a number is", [10n ** 20n], "float64?"],
    ["an integer, then a very large one", [1, 2n ** 63n], "uint64?"],
    ["a very large integer, null, then others", [2n ** 63n, null, 1, 2n ** 60n], "uint64?"],
    ["many integers, null, then a very large one", [1, null, 2, 2n ** 63n], "uint64?"],
    ["lists of integers and a very large one", [[1], null, [], [2, 2n ** 63n]], "list<uint64>?"],
    ["structs of the same", [{ n: 1 }, {}, null, { n: 2n ** 63n }], "{n: uint64?}?"],
    ["a list of nothing, null, a list of integers", [[], null, [1]], "list<int64>?"],
    ["a list of nothing, then of integers", [[], [1]], "list<int64>?"],
    ["a list with a null", [[1, null]], "list<int64?>?"],
    ["nested lists", [[[1], [2.5]]], "list<list<float64>>?"],
    ["bytes and dates", [new Uint8Array(1)], "binary?"],
    ["typed arrays", [Int32Array.of(1)], "list<int32>?"],
  ])("%s", (_, values, feature) => {
    expect(infer(...values.map((x) => ({ x })))).toEqual({ x: feature });
  });

  test("fields that some rows lack are kept, at any depth", () => {
    expect(infer({ a: 1, s: { u: "x" } }, { b: true, s: { v: 1 } })).toEqual({
      a: "int64?",
      s: "{u: string?, v: int64?}?",
      b: "bool?",
    });
  });

  test("a conflict names the column, both types and both rows", () => {
    expect(() => infer({ x: 1 }, { x: 2 }, { x: "a" })).toThrow(
      "column x is int64 and string: first at a.jsonl:1, then at a.jsonl:3",
    );
    expect(() => infer({ s: { t: [1] } }, { s: { t: ["a"] } })).toThrow("column s.t[] is int64 and string");
  });

  test("negative integers and those beyond 2^63 are a conflict that says so", () => {
    for (const values of [
      [1, -1, 2n ** 63n],
      [2n ** 63n, 1, -1],
      [-1, 1, 2n ** 63n],
    ])
      expect(() => infer(...values.map((x) => ({ x })))).toThrow(
        /^column x is u?int64 and u?int64, and no type has both negative integers and those from 2\^63 on: first at/,
      );
  });

  test("what no feature holds", () => {
    expect(() => infer({ "x\ud83d": 1 })).toThrow("the name of a column is a text with a lone surrogate");
    expect(() => infer({ x: [{ "x\ud83d": 1 }] })).toThrow("a lone surrogate");
    expect(() => features({ "x\ud83d": "int8" })).toThrow("a lone surrogate");
    expect(() => infer({ x: 10n ** 20n + 1n })).toThrow(
      "column x has an integer beyond 64 bits, 100000000000000000001: at a.jsonl:1",
    );
    expect(() => infer({ x: { y: Promise.resolve() } })).toThrow("column x.y is a Promise: await it: at a.jsonl:1");
    expect(() => infer({ x: new URL("http://a/") })).toThrow("column x is a URL with toJSON");
  });

  test("a conflict inside one value names the column and the row", () => {
    expect(() => infer({ tags: ["a"] }, { tags: [1, "a"] })).toThrow("column tags[] is int64 and string: at a.jsonl:2");
    expect(() => infer({ s: { t: [[true], [1]] } })).toThrow("column s.t[][] is bool and int64: at a.jsonl:1");
  });

  test.each([
    ["json", "json?"],
    ["string", "string?"],
  ] as const)("a conflict inside one value may become %s", (mixed, text) => {
    for (const rows of [
      [{ tags: [1, "a"] }, { tags: ["a"] }, { tags: null }],
      [{ tags: ["a"] }, { tags: [1, "a"] }],
    ]) {
      const inference = new FeatureInference({ mixed });
      for (const row of rows) inference.add(row, () => "");
      expect(Object.values(inference.features!).map(featureText)).toEqual([text]);
    }
  });

  test("a value that is nested too deeply", () => {
    const deep = JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`) as unknown;
    expect(() => infer({ x: deep })).toThrow("column x is nested deeper than 1000 levels: at a.jsonl:1");
    const inference = new FeatureInference({ mixed: "json" });
    inference.add({ x: deep }, () => "");
    expect(featureText(inference.features!.x!)).toBe("json?");
  });

  test("a conflict may become Json", () => {
    const inference = new FeatureInference({ mixed: "json" });
    for (const x of [1, "a", { b: 1 }]) inference.add({ x, y: 1 }, () => "");
    expect(Object.values(inference.features!).map(featureText)).toEqual(["json?", "int64?"]);
  });
});
