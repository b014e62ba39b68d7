import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { foldName, foldsNames, isSameDirectory, isSameEntry, pathBelow } from "../../src/base/names-on-disk.js";
import { tempDir } from "../runner/temp-dir.js";
import { foldNames, unfoldNames } from "./fold-names.js";

afterEach(unfoldNames);

test("names that differ in case, normalization, or dots and blanks at the end fold to one", () => {
  expect(foldName("A/É.txt")).toBe(foldName("a/é.TXT"));
  expect(foldName("a. ./b")).toBe("a/b");
  expect(foldName("..a/.b")).toBe("..a/.b");
  expect(foldName("a")).not.toBe(foldName("b"));
});

describe("whether a directory folds names", () => {
  test.each([[[]], [[".kagurazaka"]], [["a.txt"]], [["a.txt", "A.txt", "A.TXT"]]])(
    "is no, where %j is in it and the file system tells case",
    (names) => {
      const dir = tempDir();
      for (const name of names) writeFileSync(join(dir, name), "");
      expect(foldsNames(dir)).toBe(false);
    },
  );

  test.each([".kagurazaka", "a.txt", "README"])("is asked with %s, which is in it", (name) => {
    const dir = tempDir();
    writeFileSync(join(dir, name), "");
    foldNames();
    expect(foldsNames(dir)).toBe(true);
  });
});

test("a directory is itself under all its names, and no other", () => {
  const dir = tempDir();
  for (const name of ["a", "A", "b"]) mkdirSync(join(dir, name));
  symlinkSync("a", join(dir, "link"));
  expect(isSameDirectory(join(dir, "a"), join(dir, "link"))).toBe(true);
  for (const other of ["A", "b", "missing"]) expect(isSameDirectory(join(dir, "a"), join(dir, other))).toBe(false);
});

test("a directory below another one is found there under all names of both", () => {
  const dir = tempDir();
  mkdirSync(join(dir, "a/b/c"), { recursive: true });
  mkdirSync(join(dir, "ab"));
  symlinkSync("a/b", join(dir, "link"));
  symlinkSync("a", join(dir, "alias"));
  for (const root of ["a", "alias"])
    expect(
      ["a", "alias", "link", "link/c", "ab", ".", "missing"].map((one) => pathBelow(join(dir, root), join(dir, one))),
    ).toEqual(["", "", "b", "b/c", undefined, undefined, undefined]);
});

test("an entry is the file's that is named by it, also through links; another hard link is another entry", () => {
  const dir = tempDir();
  for (const name of ["in", "out"]) mkdirSync(join(dir, name));
  const path = (name: string): string => join(dir, name);
  writeFileSync(path("in/a"), "");
  linkSync(path("in/a"), path("out/hard"));
  symlinkSync("../in/a", path("out/link"));
  symlinkSync("in", path("alias"));
  for (const [entry, file] of [
    ["in/a", "in/a"],
    ["alias/a", "in/a"],
    ["in/a", "out/link"],
    ["out/link", "out/link"],
  ] as const)
    expect(isSameEntry(path(entry), path(file)), `${entry} ${file}`).toBe(true);
  for (const entry of ["out/hard", "out/link", "out/missing"])
    expect(isSameEntry(path(entry), path("in/a")), entry).toBe(false);
});
