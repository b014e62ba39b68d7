import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KagurazakaError } from "../../src/base/errors.js";
import { compareCodePoints, sortNames, walkDirectories, walkFiles } from "../../src/data/files/walk.js";
import { createDirectory, createTree, pathsOf } from "./tree.js";

describe("walkFiles", () => {
  test("gives a directory's files first, then its subdirectories, each in order", async () => {
    const root = createTree({
      "b.txt": "",
      "a/z.txt": "",
      "a/b/c.txt": "",
      "a.txt": "",
      "c/1.txt": "",
      "B.txt": "",
      "a/a.txt": "",
    });
    expect(await pathsOf(walkFiles({ root }))).toEqual([
      "B.txt",
      "a.txt",
      "b.txt",
      "a/a.txt",
      "a/z.txt",
      "a/b/c.txt",
      "c/1.txt",
    ]);
  });

  test("yields one array per directory that has files", () => {
    const root = createTree({ "a/b/1.txt": "", "a/b/2.txt": "", "c/": "" });
    expect([...walkFiles({ root })]).toEqual([{ relDir: "a/b", names: ["1.txt", "2.txt"] }]);
  });

  test("sorts by code point: astral characters after the private use area", async () => {
    const names = ["😀.txt", "\ue000.txt", "é.txt", "z.txt", "Z.txt", "10.txt", "9.txt", "\uffee.txt"];
    const root = createTree(
      Object.fromEntries(
        names.flatMap((name) => [
          [name, ""],
          [`d-${name}/x`, ""],
        ]),
      ),
    );
    const order = ["10.txt", "9.txt", "Z.txt", "z.txt", "é.txt", "\ue000.txt", "\uffee.txt", "😀.txt"];
    expect(await pathsOf(walkFiles({ root }))).toEqual([...order, ...order.map((name) => `d-${name}/x`)]);
  });

  test("takes symlinked files, not symlinked directories, links to nowhere or pipes", async () => {
    const outside = createTree({ "target.txt": "", "dir/inner.txt": "" });
    const root = createTree({
      "link.txt": `-> ${outside}/target.txt`,
      "chain.txt": "-> link.txt",
      "dangling.txt": "-> nowhere",
      "loop.txt": "-> loop.txt",
      dir: `-> ${outside}/dir`,
      "real.txt": "",
    });
    expect(await pathsOf(walkFiles({ root }))).toEqual(["chain.txt", "link.txt", "real.txt"]);
  });

  test("leaves hidden names out unless asked, and .kagurazaka always", async () => {
    const root = createTree({
      ".env": "",
      ".git/config": "",
      "a/.hidden": "",
      "a/x": "",
      ".kagurazaka/t/ledger.jsonl": "",
      "a/.kagurazaka/y": "",
    });
    expect(await pathsOf(walkFiles({ root }))).toEqual(["a/x"]);
    expect(await pathsOf(walkFiles({ root, hidden: true }))).toEqual([".env", ".git/config", "a/.hidden", "a/x"]);
  });

  test("leaves directories out, by whichever path they are named, also ones made later", async () => {
    const root = createTree({ "out/1": "", "a/out/2": "", "output/3": "" });
    const alias = join(createDirectory(), "alias");
    symlinkSync(root, alias);
    expect(await pathsOf(walkFiles({ root, leaveOut: [join(root, "out")] }))).toEqual(["a/out/2", "output/3"]);
    expect(await pathsOf(walkFiles({ root: alias, leaveOut: [join(root, "out")] }))).toEqual(["a/out/2", "output/3"]);
    expect(await pathsOf(walkFiles({ root, leaveOut: [join(alias, "a", "out")] }))).toEqual(["out/1", "output/3"]);
    const walk = walkFiles({ root, leaveOut: [join(alias, "zz", "new")] });
    expect(walk.next().value).toEqual({ relDir: "a/out", names: ["2"] });
    createTree({ "zz/new/4": "", "zz/5": "" }, root);
    expect(await pathsOf(walkFiles({ root, leaveOut: [join(alias, "zz", "new")] }))).toEqual([
      "a/out/2",
      "out/1",
      "output/3",
      "zz/5",
    ]);
  });

  test("an output root equal to the input root leaves nothing out", async () => {
    const root = createTree({ a: "" });
    expect(await pathsOf(walkFiles({ root, leaveOut: [root] }))).toEqual(["a"]);
  });

  test("asks match about names only", async () => {
    const root = createTree({ "a/x.txt": "", "a/y.md": "", "b.md": "", "l.md": "-> b.md" });
    expect(await pathsOf(walkFiles({ root, match: (name) => name.endsWith(".md") }))).toEqual([
      "b.md",
      "l.md",
      "a/y.md",
    ]);
  });

  test("a root that is missing or a file is an input-root error with the path", () => {
    const root = createTree({ file: "" });
    for (const path of [join(root, "missing"), join(root, "file")]) {
      const attempt = () => [...walkFiles({ root: path })];
      expect(attempt).toThrow(path);
      expect(attempt).toThrow(expect.objectContaining({ code: "input-root" }));
    }
  });

  test("a directory that cannot be read stops the walk and is named", () => {
    const root = createTree({ "1": "", "sub/2": "" });
    const walk = walkFiles({ root });
    expect(walk.next().value).toEqual({ relDir: ".", names: ["1"] });
    rmSync(join(root, "sub"), { recursive: true });
    expect(() => walk.next()).toThrow(
      expect.objectContaining({ code: "generate-tasks", message: expect.stringContaining(join(root, "sub")) }),
    );
  });

  test("stops at the next directory when the signal aborts", () => {
    const root = createTree({ "1": "", "sub/2": "" });
    const abort = new AbortController();
    const walk = walkFiles({ root, signal: abort.signal });
    walk.next();
    abort.abort(new Error("enough"));
    expect(() => walk.next()).toThrow("enough");
  });

  test("goes as deep as the disk does", async () => {
    const root = createDirectory();
    const deep = Array.from({ length: 300 }, () => "d").join("/");
    mkdirSync(join(root, deep), { recursive: true });
    createTree({ [`${deep}/x`]: "" }, root);
    expect(await pathsOf(walkFiles({ root }))).toEqual([`${deep}/x`]);
  });
});

describe("walkDirectories", () => {
  const tree = {
    "b/2/x/": "",
    "a/1/": "",
    "a/2/": "",
    "a/file": "",
    c: "",
    ".h/1/": "",
    ".kagurazaka/1/": "",
    "out/1/": "",
  };

  test("gives the directories of one level, in order", async () => {
    const root = createTree({ ...tree, link: "-> a" });
    const leaveOut = [join(root, "out")];
    expect(await pathsOf(walkDirectories({ root, level: 1, leaveOut }))).toEqual(["a", "b"]);
    expect(await pathsOf(walkDirectories({ root, level: 2, leaveOut }))).toEqual(["a/1", "a/2", "b/2"]);
    expect(await pathsOf(walkDirectories({ root, level: 3, leaveOut }))).toEqual(["b/2/x"]);
    expect(await pathsOf(walkDirectories({ root, level: 4, leaveOut }))).toEqual([]);
    expect(await pathsOf(walkDirectories({ root, level: 2, hidden: true, leaveOut }))).toEqual([
      ".h/1",
      "a/1",
      "a/2",
      "b/2",
    ]);
  });
});

test("names sort as the bytes of their UTF-8 do", () => {
  const unit = fc.string({ unit: "binary", maxLength: 4 });
  fc.assert(
    fc.property(fc.array(unit), (names) => {
      const byBytes = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(sortNames([...names])).toEqual(byBytes);
      expect([...names].sort(compareCodePoints)).toEqual(byBytes);
    }),
    { numRuns: 500 },
  );
});

test("errors of the walk are ours", () => {
  try {
    [...walkFiles({ root: "/nonexistent/kagurazaka" })];
    expect.unreachable();
  } catch (error) {
    expect(KagurazakaError.is(error)).toBe(true);
  }
});
