import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { globFiles } from "../../src/data/files/glob.js";
import { createTree, pathsOf } from "./tree.js";

const find = (root: string, pattern: string, more: object = {}) => pathsOf(globFiles({ root, pattern, ...more }));

test.each([
  ["**/*.png", ["1.png", "a/2.png", "b/4.png", "a/c/3.png"]],
  ["*.png", ["1.png"]],
  ["**", ["1.png", "x.txt", "a/2.png", "b/4.png", "a/c/3.png"]],
  ["a/**/*.png", ["a/2.png", "a/c/3.png"]],
  ["./a/*", ["a/2.png"]],
  ["a/2.png", ["a/2.png"]],
  ["?/@(2|4).png", ["a/2.png", "b/4.png"]],
  ["?/?.png", ["a/2.png", "b/4.png"]],
  ["?.p[?n]g", ["1.png"]],
  ["{b,a}/*.png", ["a/2.png", "b/4.png"]],
  ["{a,a/c}/**", ["a/2.png", "a/c/3.png"]],
  ["{1.png,*.png}", ["1.png"]],
  ["nothing/**", []],
])("%s finds %j", async (pattern, expected) => {
  const root = createTree({ "1.png": "", "x.txt": "", "a/2.png": "", "a/c/3.png": "", "b/4.png": "" });
  expect(await find(root, pattern)).toEqual(expected);
});

test("names in a directory come in code point order, whatever the disk says", async () => {
  const names = ["b", "a", "😀", "\uffee", "Z", "9", "10"];
  const root = createTree(Object.fromEntries(names.map((name) => [name, ""])));
  expect(await find(root, "**")).toEqual(["10", "9", "Z", "a", "b", "\uffee", "😀"]);
});

test("symlinks: files yes, directories no, even when the pattern names one", async () => {
  const outside = createTree({ "x.txt": "", "dir/in.txt": "" });
  const root = createTree({
    "link.txt": `-> ${outside}/x.txt`,
    "gone.txt": "-> nowhere",
    linked: `-> ${outside}/dir`,
    "real/a.txt": "",
    "real/back": "-> ..",
  });
  expect(await find(root, "**/*.txt")).toEqual(["link.txt", "real/a.txt"]);
  expect(await find(root, "linked/*.txt")).toEqual([]);
  expect(await find(root, "linked/in.txt")).toEqual([]);
  expect(await find(root, "real/back/*.txt")).toEqual([]);
  expect(await find(root, "link.txt")).toEqual(["link.txt"]);
  expect(await find(root, "gone.txt")).toEqual([]);
});

test("leaves out hidden names, .kagurazaka and the output root", async () => {
  const root = createTree({ ".h/a": "", ".b": "", ".kagurazaka/l": "", "out/o": "", "in/i": "" });
  const leaveOut = [join(root, "out")];
  expect(await find(root, "**", { leaveOut })).toEqual(["in/i"]);
  expect(await find(root, "**", { leaveOut, hidden: true })).toEqual([".b", ".h/a", "in/i"]);
  expect(await find(root, ".h/*", { leaveOut })).toEqual([".h/a"]);
  expect(await find(root, ".kagurazaka/*", { leaveOut })).toEqual([]);
  expect(await find(root, ".kagurazaka/l", { leaveOut })).toEqual([]);
  expect(await find(root, "out/*", { leaveOut })).toEqual([]);
  expect(await find(root, "out/o", { leaveOut })).toEqual([]);
});

test.each(["../*", "a/../../*", "/etc/*", "{a,..}/*", ""])(
  "a pattern that leaves the root is refused: %s",
  async (pattern) => {
    const root = createTree({ "a/1": "" });
    await expect(find(root, pattern)).rejects.toMatchObject({ code: "bad-value" });
  },
);

test("an escaped .. finds nothing outside either", async () => {
  const root = createTree({ "a/1": "", x: "" });
  expect(await find(join(root, "a"), "\\.\\./*")).toEqual([]);
});

test("a missing root is an input-root error", async () => {
  await expect(find("/nonexistent/kagurazaka", "**")).rejects.toMatchObject({ code: "input-root" });
});

test("reads no further directory while paths wait to be taken", async () => {
  const root = createTree({});
  const total = 40 * 150;
  for (let d = 0; d < 40; d++) {
    createTree(Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`d${d}/${i}`, ""])), root);
  }
  const listing = globFiles({ root, pattern: "**" });
  const first = await listing.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  // By now an ungated walk would be through: a file put into the last directory would be missed.
  writeFileSync(join(root, "d9", "late"), "");
  const rest = await pathsOf(listing);
  expect(first.value?.names.length).toBe(150);
  expect(rest.length).toBe(total - 150 + 1);
  expect(rest).toContain("d9/late");
});

test("an aborted signal stops it", async () => {
  const root = createTree({ "a/1": "", "b/2": "" });
  const abort = new AbortController();
  const listing = globFiles({ root, pattern: "**", signal: abort.signal });
  await listing.next();
  abort.abort(new Error("enough"));
  await expect(listing.next()).rejects.toThrow("enough");
});
