import { describe, expect, test } from "vitest";
import { type Branch, Leaf, List, originOf, type Tree, toPlain } from "../../src/config/tree.js";
import { loadYamlFile } from "../../src/config/yaml-file.js";
import { folder, mistakesOf } from "./helpers.js";

const load = (text: string): Promise<Branch> => loadYamlFile("base.yaml", "--cfg", folder({ "base.yaml": text }));
const at = (tree: Tree, ...path: (string | number)[]): Tree =>
  path.reduce<Tree>(
    (here, step) => (here instanceof List ? here.items[step as number]! : (here as Branch)[step]!),
    tree,
  );

test("every scalar, list and mapping knows its place", async () => {
  const tree = await load("a: 1\nb:\n  - x\n  - {c: y}\n");
  expect(originOf(at(tree, "a")).text).toBe("base.yaml:1:4");
  expect(originOf(at(tree, "b", 0)).text).toBe("base.yaml:3:5");
  expect(originOf(at(tree, "b", 1, "c"))).toMatchObject({
    kind: "file",
    text: "base.yaml:4:9",
    atKey: "base.yaml:4:6",
  });
});

test("core schema: yes is a text, and what was written is kept beside the number", async () => {
  const tree = await load("a: yes\nb: 007\nc: 1.10\nd: ~\ne: 0x1F\nf: '1'\n");
  expect(toPlain(tree)).toEqual({ a: "yes", b: 7, c: 1.1, d: null, e: 31, f: "1" });
  expect(toPlain(tree, true)).toEqual({ a: "yes", b: "007", c: "1.10", d: null, e: "0x1F", f: "1" });
});

test("an integer beyond 2^53 is kept as it is written", async () => {
  const tree = await load("a: 9007199254740993\nb: -18446744073709551615\nc: 0xFFFFFFFFFFFFFFFF\nd: 1e20\n");
  expect(toPlain(tree)).toEqual({ a: 9007199254740993n, b: -18446744073709551615n, c: 18446744073709551615n, d: 1e20 });
});

test("merge keys: own keys win, earlier mappings win over later ones", async () => {
  const tree = await load("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  c: 3\n  <<: [*x, *y]\n");
  expect(toPlain(at(tree, "z"))).toEqual({ a: 1, b: 1, c: 3 });
});

test("an empty file says nothing", async () => {
  expect(toPlain(await load("# nothing\n"))).toEqual({});
});

test("results have no prototype", async () => {
  const tree = await load("a: {toString: x}\n");
  expect(Object.getPrototypeOf(tree)).toBeNull();
  expect(Object.getPrototypeOf(at(tree, "a"))).toBeNull();
  expect(at(tree, "a", "toString")).toBeInstanceOf(Leaf);
});

const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${"bcdefghi"
  .split("")
  .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[i]}`).join(", ")}]`)
  .join("\n")}\n`;

describe("a file that cannot be read is refused with line, column and code frame", () => {
  const bad: [string, string, RegExp][] = [
    ["unclosed list", "a: 1\nb: [1, 2\n", /base\.yaml:\d:\d/],
    ["bad indentation", "a:\n  b: 1\n c: 2\n", /base\.yaml:3:1/],
    ["duplicate key", "a: 1\nb: 2\na: 3\n", /base\.yaml:3:1/],
    ["unknown alias", "a: *nowhere\n", /base\.yaml:1:4/],
    ["unknown tag", "a: !!python/object:os.system x\n", /base\.yaml:1:4/],
    ["two documents", "a: 1\n---\nb: 2\n", /base\.yaml:2:1/],
    ["an alias bomb", bomb, /alias bomb/],
    [
      "a few aliases of much",
      `a: &a [${"x,".repeat(9_000)}]\nb: [${Array(12).fill("*a").join(", ")}]\n`,
      /more than 100000 values/,
    ],
    ["an alias of itself", "a: &a [*a]\n", /contains itself|alias/],
    ["a mapping as key", "? {a: 1}\n: 2\n", /key/],
    ["merging a scalar", "a:\n  <<: 1\n", /<</],
    ["a list", "- 1\n", /must hold a mapping/],
  ];
  test.each(bad)("%s", async (_, text, says) => {
    const [mistake] = await mistakesOf(() => load(text));
    expect(mistake).toMatch(/^config-file/);
    expect(mistake).toMatch(/base\.yaml:\d+:\d+/);
    expect(mistake).toMatch(says);
  });
  test("the frame marks the place", async () => {
    const error = await load("a: 1\nb: [1, 2\n").catch((thrown: { frame?: string }) => thrown);
    expect(error.frame).toMatch(/\^/);
    expect(error.frame).toMatch(/2 \| b: \[1, 2/);
  });
  test.each([
    ["a:\n  password: hunter2: x: y\n", /Nested mappings/],
    ["a:\n  password: *hunter2\n", /no anchor is called "\*\*\*"/],
    ["a:\n  password: !hunter2 x\n", /tag: \*\*\*/],
    ["a:\n  token: hunter2\n b: 1\n", /./],
    ["a:\n  password: 1\n  password: 2\n", /"password" stands here twice/],
  ])("of a secret neither frame nor message have the value: %j", async (text, says) => {
    const error = (await load(text).catch((thrown: unknown) => thrown)) as Error & { frame?: string };
    expect(error.message).toMatch(says);
    expect(error.frame).toContain("***");
    expect(`${error.message} ${error.frame}`).not.toContain("hunter2");
  });
});

test("a missing file, a directory, a huge file, deep nesting and bytes that are no UTF-8 are clear mistakes", async () => {
  const dir = folder({
    "big.yaml": `a: ${"x".repeat(1_000_001)}`,
    "deep.yaml": `a: ${"[".repeat(5000)}${"]".repeat(5000)}`,
  });
  const { writeFileSync } = await import("node:fs");
  writeFileSync(`${dir}/latin.yaml`, Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
  for (const [file, says] of [
    ["none.yaml", /does not exist/],
    [".", /cannot be read/],
    ["big.yaml", /larger than/],
    ["deep.yaml", /nested/],
    ["latin.yaml", /cannot be read/],
  ] as const) {
    const [mistake] = await mistakesOf(() => loadYamlFile(file, "--cfg", dir));
    expect(mistake).toMatch(/^config-file/);
    expect(mistake).toMatch(says);
  }
});

describe("keys like __proto__ are refused wherever they stand", () => {
  test.each([
    "__proto__: 1",
    "a: {__proto__: {x: 1}}",
    "a:\n  - constructor:\n      prototype: 1",
    "prototype: 1",
    '"__proto__": 1',
    "a:\n  <<: {__proto__: {x: 1}}",
  ])("%s", async (text) => {
    expect((await mistakesOf(() => load(text)))[0]).toMatch(/^forbidden-key .*base\.yaml:\d+:\d+/);
  });
});
