import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { globFiles } from "../../src/data/files/glob.js";
import { holdsOnlyState, type WalkOptions, walkDirectories, walkFiles } from "../../src/data/files/walk.js";
import { createDirectory, createTree, pathsOf } from "./tree.js";

/** The ways to list a tree, with the same rules for each. */
const listings = {
  walkFiles: (options: WalkOptions) => walkFiles({ ...options, match: (name) => name.endsWith(".txt") }),
  globFiles: (options: WalkOptions) => globFiles({ ...options, pattern: "**/*.txt" }),
};

describe.each(Object.entries(listings))("%s", (_name, list) => {
  test("names and directories may begin with, end in or be line terminators", async () => {
    const letters = ["\n", "\r", "\u2028", "\u2029"];
    const names = ["", "d/", ...letters.map((letter) => `${letter}d/`)].flatMap((dir) =>
      ["plain.txt", ...letters.flatMap((letter) => [`${letter}.txt`, `a${letter}b.txt`])].map((name) => dir + name),
    );
    const root = createTree(Object.fromEntries(names.map((name) => [name, ""])));
    expect((await pathsOf(list({ root }))).toSorted()).toEqual(names.toSorted());
  });

  test("what is passed over is told: links to directories and to nothing, not names that nobody asked for", async () => {
    const root = createTree({
      "real/a.txt": "",
      link: "-> real",
      "l.txt": "-> real",
      "gone.txt": "-> nowhere",
      "gone.md": "-> nowhere",
      "loop.txt": "-> loop.txt",
      "real/up": "-> ..",
      "file.md": "-> real/a.txt",
    });
    const told: string[] = [];
    const paths = await pathsOf(list({ root, onPassedOver: (path, why) => told.push(`${path}: ${why}`) }));
    expect(paths).toEqual(["real/a.txt"]);
    expect(told.toSorted()).toEqual([
      "gone.txt: a symbolic link to nothing",
      "l.txt: a symbolic link to a directory",
      "link: a symbolic link to a directory",
      "loop.txt: a symbolic link to nothing",
      "real/up: a symbolic link to a directory",
    ]);
  });

  test("a directory that vanishes meanwhile is told, and the rest is listed", async () => {
    const files = { "a.txt": "", "b/1.txt": "", "c/2.txt": "", "d/3.txt": "" };
    const root = createTree(files);
    const unreadable: string[] = [];
    const onUnreadable = (relDir: string, cause: unknown) =>
      unreadable.push(`${relDir} ${(cause as NodeJS.ErrnoException).code}`);
    const paths: string[] = [];
    for await (const { relDir, names } of list({ root, onUnreadable })) {
      paths.push(...names.map((name) => join(relDir, name)));
      rmSync(join(root, "c"), { recursive: true, force: true });
    }
    expect([paths, unreadable]).toEqual([["a.txt", "b/1.txt", "d/3.txt"], ["c ENOENT"]]);
    // Without somebody to tell it to, it is an error.
    const again = createTree(files);
    const listAll = async () => {
      for await (const _directory of list({ root: again })) rmSync(join(again, "b"), { recursive: true, force: true });
    };
    await expect(listAll()).rejects.toMatchObject({ code: "generate-tasks" });
  });

  test("the state of a task is left out wherever it lies", async () => {
    const state = {
      "ledger/a.txt": "",
      "lease/b.txt": "",
      "runs/20261129T113542Z-bcf8f7/log.txt": "",
      "stats.txt": "",
    };
    const under = (dir: string) => Object.fromEntries(Object.keys(state).map((path) => [`${dir}/${path}`, ""]));
    const root = createTree({
      ...under("s/word-count"),
      ...under("a/.kagurazaka/x"),
      "ledger/1.txt": "",
      "runs/2.txt": "",
      // Folders of such names that are no state.
      "bank/ledger/3.txt": "",
      "bank/lease/4.txt": "",
      "bank/runs/5.txt": "",
    });
    const own = ["bank/lease/4.txt", "bank/ledger/3.txt", "bank/runs/5.txt"];
    expect((await pathsOf(list({ root }))).sort()).toEqual([...own, "ledger/1.txt", "runs/2.txt"]);
    // A root is listed whatever it is.
    expect(await pathsOf(list({ root: join(root, "s/word-count") }))).toContain("stats.txt");
  });
});

test("a link among the directories is told too", () => {
  const root = createTree({ "a/x/": "", "a/link": "-> x", "a/file": "", "b/gone": "-> nowhere" });
  const told: string[] = [];
  const walk = walkDirectories({ root, level: 2, onPassedOver: (path) => told.push(path) });
  expect([...walk]).toEqual([{ relDir: "a", names: ["x"] }]);
  expect(told).toEqual(["a/link"]);
});

test("a pattern reads no directory in which nothing can match", async () => {
  const root = createTree({ "a/b/1.txt": "", "a/c/2.txt": "", "d/3.txt": "", "a/link": "-> b" });
  const read: string[] = [];
  const find = (pattern: string) => pathsOf(globFiles({ root, pattern, onPassedOver: (path) => read.push(path) }));
  expect(await find("a/b/*")).toEqual(["a/b/1.txt"]);
  expect(await find("d/**")).toEqual(["d/3.txt"]);
  expect(read, "the link was not come across").toEqual([]);
  expect(await find("a/link/*")).toEqual([]);
  expect(read).toEqual(["a/link"]);
});

test("a directory holds only state, or something else", () => {
  const root = createDirectory();
  for (const path of ["s/x/ledger", "s/x/lease", "s/x/runs/20261129T113542Z-bcf8f7", "s/new/lease"])
    mkdirSync(join(root, path), { recursive: true });
  const s = join(root, "s");
  expect(holdsOnlyState(s, [join(s, "new")])).toBe(true);
  expect(holdsOnlyState(s, [])).toBe(false);
  createTree({ file: "" }, s);
  expect(holdsOnlyState(s, [join(s, "new")])).toBe(false);
});
