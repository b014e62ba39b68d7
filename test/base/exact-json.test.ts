import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeItem } from "../../src/base/canonical-json.js";
import { parseJson, stringifyJson } from "../../src/base/exact-json.js";

const large = fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }).chain((n) => fc.constantFrom(n, -n));
const digits = fc.stringMatching(/^[-\d"\\,:. e]{0,40}$/);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    large,
    digits,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.maxSafeInteger(),
    fc.constantFrom(null, true),
    fc.array(tie("tree")),
    fc.dictionary(digits, tie("tree")),
  ),
}));

describe("integers that a number cannot hold", () => {
  test("are read and written as they stand, whatever is around them", () => {
    fc.assert(
      fc.property(tree, (value) => {
        const text = encodeItem(value);
        const read = parseJson(text);
        expect(encodeItem(read)).toBe(text);
        // What JSON.parse makes of it, where no number is rounded.
        if (!/\d{16}/.test(text)) expect(read).toEqual(JSON.parse(text));
      }),
      { numRuns: 2000 },
    );
  });

  test.each<[string, unknown]>([
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["-9007199254740993", -9007199254740993n],
    ["[1161888007138312193,1]", [1161888007138312193n, 1]],
    ['{"18446744073709551615":"18446744073709551615"}', { "18446744073709551615": "18446744073709551615" }],
    ['["\\\\",12345678901234567890,"\\"12345678901234567890"]', ["\\", 12345678901234567890n, '"12345678901234567890']],
    // Decimals are doubles.
    ["12345678901234567.5", 12345678901234568],
    ["0.12345678901234567890", 0.12345678901234568],
    ["[9007199254740992.0,1e20,-9007199254740992e0]", [9007199254740992, 1e20, -9007199254740992]],
    ["1e0000000000000000000002", 100],
  ])("%s", (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  test("a field called __proto__ is one like any other", () => {
    const read = parseJson('{"__proto__":12345678901234567890}') as object;
    expect(Object.entries(read)).toEqual([["__proto__", 12345678901234567890n]]);
  });

  test("wherever in the text they begin", () => {
    for (let blanks = 0; blanks < 40; blanks++)
      expect(parseJson(`${" ".repeat(blanks)}9007199254740993`)).toBe(9007199254740993n);
  });

  test("of more than 400 digits are refused, and so is what is nested too deeply to look at", () => {
    expect(parseJson("9".repeat(400))).toBe(BigInt("9".repeat(400)));
    expect(() => parseJson("9".repeat(401))).toThrow("an integer of 401 digits; 400 are the most");
    const deep = `${"[".repeat(5000)}9007199254740993${"]".repeat(5000)}`;
    expect(() => parseJson(deep)).toThrow("nested deeper than 1000 levels");
    // Without a large integer too.
    const levels = (count: number): string => `${'{"a":['.repeat(count / 2)}1${"]}".repeat(count / 2)}`;
    expect(() => parseJson(levels(1002))).toThrow("nested deeper than 1000 levels");
    expect(JSON.stringify(parseJson(levels(1000)))).toBe(levels(1000));
    expect(parseJson(`[${"[],".repeat(5000)}1]`)).toHaveLength(5001);
  });

  test.each(["9007199254740993.0", "[-9007199254740993.00]", "12345678901234567890e0"])(
    "%s would be another number, and is refused",
    (text) => expect(() => parseJson(text)).toThrow(/is beyond 2\^53 and would be rounded/),
  );

  test("text that is not JSON is refused in the words of JSON.parse", () => {
    for (const text of ["", "{9007199254740993", '"9007199254740993', "09007199254740993"])
      expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  test("are written as numbers; without any, what JSON.stringify writes", () => {
    expect(stringifyJson({ b: 9007199254740993n, a: [1] })).toBe('{"a":[1],"b":9007199254740993}');
    expect(stringifyJson({ b: new Date(0), a: undefined })).toBe('{"b":"1970-01-01T00:00:00.000Z"}');
    expect(stringifyJson(undefined)).toBeUndefined();
    // JSON would give a number back.
    expect(() => stringifyJson({ n: 5n })).toThrow(/n is a BigInt that a number can hold/);
  });
});
