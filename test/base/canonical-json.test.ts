import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeItem } from "../../src/base/canonical-json.js";
import { KagurazakaError } from "../../src/base/errors.js";

function refusal(value: unknown): KagurazakaError {
  try {
    encodeItem(value);
  } catch (error) {
    if (KagurazakaError.is(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const sortedCopy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortedCopy);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => [key, sortedCopy(field)]),
  );
};

test.each([
  [{ path: "a", i: 5 }, '{"i":5,"path":"a"}'],
  [{ i: 5, path: 'a"b\n\u2028é😀' }, '{"i":5,"path":"a\\"b\\n\u2028é😀"}'],
  [{ b: { d: 1, c: [{ z: 1, a: 2 }] }, a: null }, '{"a":null,"b":{"c":[{"a":2,"z":1}],"d":1}}'],
  [{ 10: "x", 9: "y", a: 1 }, '{"10":"x","9":"y","a":1}'],
  [{ a: undefined, b: 1 }, '{"b":1}'],
  [{ b: undefined, a: undefined }, "{}"],
  [{ b: undefined, a: { d: undefined, c: 1 } }, '{"a":{"c":1}}'],
  [[], "[]"],
  [{}, "{}"],
  [{ n: -0, e: 1e21, f: 0.1 }, '{"e":1e+21,"f":0.1,"n":0}'],
  [{ "\ud800": "\udfff", "": true }, '{"":true,"\\ud800":"\\udfff"}'],
  ["text", '"text"'],
  [Object.assign(Object.create(null), { b: 1, a: 2 }), '{"a":2,"b":1}'],
  [JSON.parse('{"__proto__": {"x": 1}, "a": 1}'), '{"__proto__":{"x":1},"a":1}'],
  [runInNewContext("({ b: [1], a: {} })"), '{"a":{},"b":[1]}'],
])("writes %j canonically", (value, text) => {
  expect(encodeItem(value)).toBe(text);
});

test("writes an integer beyond 2^53 as it is", () => {
  const value = { n: 9007199254740993n, a: [-9007199254740993n] };
  expect(encodeItem(value)).toBe('{"a":[-9007199254740993],"n":9007199254740993}');
});

test("sorts keys by UTF-16 unit, as RFC 8785 asks", () => {
  expect(Object.keys(JSON.parse(encodeItem({ "\uffff": 1, "😀": 2, Z: 3, a: 4 })))).toEqual(["Z", "a", "😀", "\uffff"]);
});

test("records of changing shapes do not disturb each other", () => {
  const records = [
    { a: 1 },
    { b: 1, a: 2 },
    { a: 1 },
    { a: 1, b: 2 },
    { c: { b: 1, a: 1 }, a: 1 },
    { c: { a: 1 }, a: 1 },
    {},
  ];
  for (const record of [...records, ...records.toReversed()]) {
    expect(encodeItem(record)).toBe(JSON.stringify(sortedCopy(record)));
  }
});

test("any JSON value comes back equal, and its text does not depend on the order of keys", () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, field]) => [key, shuffled(field)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = encodeItem(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(encodeItem(shuffled(value))).toBe(text);
      expect(encodeItem(JSON.parse(text))).toBe(text);
    }),
    { numRuns: 1000 },
  );
});

class Point {
  x = 1;
}
const circle: { self?: unknown } = {};
circle.self = { back: [circle] };
let deep: unknown = 1;
for (let i = 0; i < 201; i++) deep = [deep];

test.each([
  ["a function", { a: { run: () => 1 } }, "a.run", "function"],
  ["a toJSON method", { when: { toJSON: () => "x" } }, "when.toJSON", "function"],
  ["a symbol", { list: [1, Symbol("s")] }, "list[1]", "symbol"],
  ["a BigInt", { n: 1n }, "n", "BigInt"],
  ["NaN", { a: [{ n: Number.NaN }] }, "a[0].n", "NaN"],
  ["Infinity", { n: -Infinity }, "n", "-Infinity"],
  ["a Date", { "my date": new Date(0) }, '["my date"]', "Date"],
  ["a Map", { m: new Map() }, "m", "Map"],
  ["a Set", { m: new Set() }, "m", "Set"],
  ["bytes", { m: new Uint8Array(3) }, "m", "Uint8Array"],
  ["a class instance", { p: new Point() }, "p", "Point"],
  ["undefined in an array", { a: [1, undefined] }, "a[1]", "undefined"],
  ["a hole in an array", { a: new Array(2) }, "a[0]", "undefined"],
  ["a circle", circle, "self.back[0]", "circular"],
  ["undefined itself", undefined, "the value", "undefined"],
])("refuses %s and names the path", (_, value, path, what) => {
  const error = refusal(value);
  expect(error.code).toBe("not-json");
  expect(error.message.startsWith(`${path} is `), error.message).toBe(true);
  expect(error.message).toContain(what);
  expect(error.hint).toMatch(/\.$/);
});

test("refuses more than 200 levels, and takes 200", () => {
  expect(refusal(deep).message).toContain("more than 200 levels");
  expect(encodeItem((deep as unknown[])[0])).toBe("[".repeat(200) + "1" + "]".repeat(200));
});

test("the same object twice is no circle", () => {
  const shared = { a: 1 };
  expect(encodeItem({ x: shared, y: [shared, shared] })).toBe('{"x":{"a":1},"y":[{"a":1},{"a":1}]}');
});

test("deep records out of order cost no more than their size", () => {
  let nested: unknown = 1;
  for (let i = 0; i < 190; i++) nested = { z: 1, a: nested };
  const started = performance.now();
  encodeItem(nested);
  expect(performance.now() - started).toBeLessThan(1000);
});
