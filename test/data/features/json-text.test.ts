import { describe, expect, test } from "vitest";
import { parseJson } from "../../../src/base/exact-json.js";
import { assertJson, jsonText, jsonValueText } from "../../../src/data/features/json-text.js";
import { NotText } from "../../../src/data/features/not-text.js";

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? { a: value } : [value];
  return value;
}
const circle: unknown[] = [];
circle.push(circle);

describe("the JSON of a value", () => {
  test.each([
    ["an integer beyond 2^53", { a: [2n ** 60n + 1n] }, '{"a":[1152921504606846977]}'],
    ["a float beyond 2^53", [2 ** 53, -1e20, 1e300], "[9.007199254740992e+15,-1e+20,1e+300]"],
    ["a typed array", { a: Int32Array.of(1, 2), b: BigInt64Array.of(3n) }, '{"a":[1,2],"b":[3]}'],
    ["a Date, bytes", [new Date(0), Uint8Array.of(1)], '["1970-01-01T00:00:00.000Z","AQ=="]'],
    ["what says itself how it is JSON", { a: new URL("http://a/b") }, '{"a":"http://a/b"}'],
    ["text", 'a"b', '"a\\"b"'],
    ["null", null, "null"],
  ])("%s", (_, value, text) => expect(jsonValueText(value, "x")).toBe(text));

  test("numbers come back as what they were", () => {
    const values = [2 ** 53, 2 ** 53 - 1, -1e20, 0.1, 2n ** 53n, -(2n ** 64n), 7];
    expect(parseJson(jsonValueText(values, "x"))).toEqual(values);
    expect(parseJson(jsonText({ values }))).toEqual({ values });
  });

  test.each([
    [[Number.NaN], "column x is NaN, which JSON cannot represent"],
    [Float32Array.of(Number.POSITIVE_INFINITY), "column x is Infinity, which JSON cannot represent"],
    [() => 1, "column x is a function, which is not JSON"],
    [undefined, "column x is undefined, which is not JSON"],
    [new Map(), "column x is a Map: make an array or an object of it"],
    [[1].values(), "make an array or an object of it"],
    [Promise.resolve(1), "column x is a Promise: await it"],
    [new WeakMap(), "column x is a WeakMap without fields of its own"],
    [/a/, "column x is a RegExp without fields of its own"],
    [Object(Number.NaN), "column x is a Number without fields of its own"],
    [Object.assign(new Error("e"), { code: 1 }), "column x is an Error: take what is meant of it"],
    [new ArrayBuffer(1), "column x is an ArrayBuffer: make a Uint8Array of it"],
    [new DataView(new ArrayBuffer(1)), "column x is a DataView without fields of its own"],
    [[new Date(Number.NaN)], "column x is an invalid Date"],
    [nested(20_000), "column x is nested deeper than 1000 levels"],
    [circle, "column x is nested deeper than 1000 levels"],
  ])("%# is refused", (value, says) => {
    for (const refuse of [jsonValueText, assertJson]) {
      expect(() => refuse(value, "x")).toThrow(NotText);
      expect(() => refuse(value, "x")).toThrow(says);
    }
    if (value !== undefined) expect(() => jsonText({ x: value })).toThrow(says);
  });

  test("fields of a class are JSON, and of its prototype not", () => {
    class Point {
      x = 2n ** 60n;
    }
    Object.assign(Point.prototype, { y: 1n });
    expect(jsonText({ p: new Point(), q: Object.create(null) as object })).toBe(`{"p":{"x":${2n ** 60n}},"q":{}}`);
    expect(jsonText(new Point())).toBe(`{"x":${2n ** 60n}}`);
  });

  test("a row is an object in its text", () => {
    expect(() => jsonText(new Date())).toThrow("a Date is not a row");
    expect(() => jsonText(new URL("http://a/"))).toThrow("a URL with toJSON is not a row");
    expect(() => jsonText({ id: 1, toJSON: () => "text" })).toThrow('its toJSON makes no object of a row, but "text"');
    expect(jsonText({ id: 1, toJSON: () => ({ a: 1 }) })).toBe('{"a":1}');
  });

  test("1000 levels are fine", () => {
    expect(jsonText(nested(999) as object)).toHaveLength(JSON.stringify(nested(999)).length);
  });
});
