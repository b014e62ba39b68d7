import { describe, expect, test } from "vitest";
import { expandBraces } from "../../src/data/globs/braces.js";
import { compileFileGlob, compileGlobs, compileReach } from "../../src/data/globs/globs.js";

const matches = (pattern: string, ...keys: string[]): string[] => keys.filter(compileGlobs([pattern]));

test.each<[string, string[], string[]]>([
  ["*", ["a", ".a", "a.b"], ["a/b"]],
  ["**", ["a", ".a", "a/.b/c"], []],
  ["*.txt", ["a.txt", ".txt"], ["a/b.txt", "a.txt2"]],
  ["**/*.txt", ["a.txt", "a/b.txt", "a/b/.c.txt"], ["atxt"]],
  ["a/**", ["a", "a/b", "a/b/c"], ["ab", "b/a/c"]],
  ["*/**", ["a/b", "a/b/c"], ["a"]],
  ["a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb"]],
  ["a**b", ["ab", "axb"], ["a/b"]],
  ["?.t", ["a.t", "😀.t"], [".t", "ab.t", "/.t"]],
  ["[a-cx]1", ["a1", "b1", "x1"], ["d1", "a-1"]],
  ["[!a-c]1", ["d1", "é1", "😀1"], ["a1", "/1"]],
  ["[^a]1", ["d1"], ["a1"]],
  ["[]a]", ["]", "a"], ["[]a"]],
  ["[a", ["[a"], ["a"]],
  ["[\\]x]", ["]", "x"], ["\\"]],
  ["\\*\\?", ["*?"], ["ab"]],
  ["{a,b/c}.t", ["a.t", "b/c.t"], ["b.t"]],
  ["{a,{b,c}d}", ["a", "bd", "cd"], ["b", "ad"]],
  ["{08..11}", ["08", "09", "10", "11"], ["8", "12"]],
  ["{a..e..2}", ["a", "c", "e"], ["b"]],
  ["{3..1}", ["3", "2", "1"], ["0"]],
  ["{a}{}", ["{a}{}"], ["a"]],
  ["@(a|b).t", ["a.t", "b.t"], ["c.t", "ab.t"]],
  ["(a|b).t", ["a.t", "b.t"], ["ab.t"]],
  ["a(1).t", ["a(1).t"], ["a1.t"]],
  ["?(a)b", ["b", "ab"], ["aab"]],
  ["+(a|b)", ["a", "abba"], ["", "c"]],
  ["*(a|b)c", ["c", "abc"], ["xc"]],
  ["!(*.txt)", ["a.md", ".txt2"], ["a.txt", "d/a.md"]],
  ["x!(a|b)y", ["xy", "xcy", "xaay"], ["xay", "xby", "xc/y"]],
  ["!(!(a))", ["a"], ["b", "aa"]],
  ["!*.txt", ["a.md", "d/a.txt"], ["a.txt"]],
  ["./a/*", ["a/b"], ["./a/b"]],
  ["a[1].t", ["a1.t", "a[1].t"], ["a2.t"]],
  ["é*", ["é", "éa"], ["e"]],
])("%s", (pattern, right, wrong) => {
  expect(matches(pattern, ...right, ...wrong)).toEqual(right);
});

test.each(["\n", "\r", "\u2028", "\u2029", "\0", "\u0085", "😀", "\ud800"])(
  "a name may have %j anywhere: * and ? match it",
  (letter) => {
    for (const name of [`${letter}a.txt`, `a${letter}.txt`, `a.txt${letter}`, letter])
      for (const pattern of ["*", "**", "?*", "*?", "**/*", "!(x)", "[!x]*"])
        expect(matches(pattern, name, `${letter}/${name}`), pattern).toContain(name);
    expect(matches("**/*.txt", `${letter}d/${letter}.txt`)).toHaveLength(1);
    expect(matches("a?b", `a${letter}b`)).toHaveLength(1);
  },
);

describe("time in proportion to pattern and name", () => {
  const name = "a".repeat(4000);

  test.each([
    ["stars", `${"*a".repeat(500)}*b`],
    ["stars in every name", `${"**/*a*a*a*a/".repeat(50)}b`],
    ["nested groups", `${"+(".repeat(40)}a${")".repeat(40)}b`],
    ["groups of stars", `${"*(a|aa|aaa)".repeat(30)}b`],
    ["negations", `${"!(x)!(*b*)".repeat(10)}b`],
    ["question marks", `${"?(a)".repeat(300)}${"a".repeat(300)}b`],
    ["braces", `${"{a,aa}*".repeat(10)}b`],
    ["unclosed groups", "@(".repeat(4000)],
    ["unclosed braces", "{".repeat(4000)],
    ["unclosed brackets", "[".repeat(4000)],
  ])("%s that match nothing", (_what, pattern) => {
    const test = compileGlobs([pattern]);
    expect([name, `${name}/${name}`, `${name.slice(0, 20)}/`.repeat(100)].filter(test)).toEqual([]);
  });

  test("many names, of which each leads to states of its own", () => {
    const test = compileGlobs([`${"*a?b".repeat(12)}!(*x*y*)c`]);
    for (let i = 0; i < 300; i++) {
      const letters = Array.from({ length: 200 }, (_, at) => "abxy"[(i * 7 + at * at * (i + 3)) % 4]);
      expect(test(letters.join(""))).toBe(false);
    }
  });
});

test.each([
  ["{a,b}".repeat(20), /^the glob pattern "\{a,b\}.*…" has braces that stand for too many patterns: at most 10000/],
  ["{1..1000000}", /too many patterns/],
  [`{${"x".repeat(5000)},b}${"{a,b}".repeat(12)}`, /too many patterns/],
  ["a".repeat(20_000), /has 20000 characters; at most 10000 are allowed/],
  [`${"@(a|".repeat(60)}b${")".repeat(60)}`, /nests more than 50 groups/],
])("a pattern that is too much is a mistake that says so: %.20s", (pattern, message) => {
  expect(() => compileGlobs([pattern])).toThrow(message);
  expect(() => compileFileGlob(pattern, false)).toThrow(message);
});

test("braces are a product, in order", () => {
  expect(expandBraces("{b,a}{1..2}/x")).toEqual(["b1/x", "b2/x", "a1/x", "a2/x"]);
  expect(expandBraces("\\{a,b}[{c,d}]")).toEqual(["\\{a,b}[{c,d}]"]);
  expect(expandBraces("{-01..1}")).toEqual(["-01", "000", "001"]);
});

test.each<[string[], string[], string[]]>([
  [["a/*.txt"], ["a/"], ["b/", "a/b/", "ab/"]],
  [["**/x"], ["a/", "a/b/"], []],
  [["a/b/c"], ["a/", "a/b/"], ["a/c/"]],
  [["a[1]/x"], ["a1/", "a[1]/"], ["a2/"]],
  [["!a/*"], ["a/", "b/"], []],
])("keys that begin with a directory may match %j or not", (patterns, may, mayNot) => {
  expect([...may, ...mayNot].filter(compileReach(patterns))).toEqual(may);
});
