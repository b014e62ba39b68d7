import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { counts, createPlace, type Place } from "./kagurazaka.js";

const inline = ["--backbone", "inline", "--json"];
const lineCount = (text: string): number => text.split("\n").filter((line) => line !== "").length;

/** Directories so deep that their paths are longer than the system takes: unreadable for every user, root too. */
function makeUnreadable(place: Place, dir: string): Disposable {
  const script = `const fs = require("fs"), [, path] = process.argv; process.chdir(path);
    for (let i = 0; i < 18; i++) { const name = "n".repeat(250); fs.mkdirSync(name); process.chdir(name); }`;
  mkdirSync(place.path(dir));
  execFileSync(process.execPath, ["-e", script, place.path(dir)]);
  return { [Symbol.dispose]: () => void execFileSync("rm", ["-rf", place.path(dir)]) };
}

test("a directory that cannot be listed fails as itself while the rest goes on, and is forgotten once it is gone", async () => {
  const place = createPlace({ "in/a.txt": "a", "in/z/b.txt": "b" });
  const words = ["@word-count", "--in", "in", "--out", "out"];
  {
    using _deep = makeUnreadable(place, "in/deep");
    const first = await place.run([...words, ...inline]);
    expect([first.code, first.json.counts], first.stderr).toEqual([3, counts({ done: 2, failed: 1 })]);
    const failed = JSON.parse(place.read("out/.kagurazaka/word-count/failed.jsonl"));
    expect(failed).toMatchObject({ key: expect.stringMatching(/^deep\/n+\/.*\/$/), attempts: 0 });
    expect(failed.class).toMatch(/^unreadable/);
    const glob = ["--mixin", 'input_mode={use: InputByGlob, glob_pattern: "**/*.txt"}', "--retry-failed"];
    const again = await place.run([...words, ...inline, ...glob]);
    expect([again.code, again.json.counts], again.stderr).toEqual([3, counts({ failed: 1 })]);
    const dry = await place.run([...words, "--dry-run"]);
    expect(dry.stdout).toMatch(/cannot list the directory[\s\S]*refuse +1 +\(unreadable\)/);
    expect((await place.run(["verify", ...words])).code).toBe(3);
    const exported = await place.run(["export-inputs", "list.jsonl", ...words]);
    expect([exported.code, lineCount(place.read("list.jsonl"))], exported.stderr).toEqual([3, 2]);
    expect(exported.stderr).toContain("cannot list the directory");
  }
  const last = await place.run([...words, ...inline]);
  expect([last.code, last.json.counts]).toEqual([0, counts({ skipped: 2 })]);
  expect(existsSync(place.path("out/.kagurazaka/word-count/failed.jsonl"))).toBe(false);
});

test("outputs beside their inputs are no inputs of the same task, but of the next one", async () => {
  const place = createPlace({ "d/a.txt": "a", "d/sub/b.txt": "b" });
  const run = async (task: string) => {
    const { json, stderr } = await place.run([task, "--in", "d", "--out", "d", ...inline]);
    return { ...json.counts, passedOver: /(\d+) files? (?:is an output|are outputs)/.exec(stderr)?.[1] };
  };
  expect(await run("@compress")).toMatchObject({ total: 2, done: 2 });
  expect(await run("@compress")).toMatchObject({ total: 2, skipped: 2, passedOver: "2" });
  expect(await run("@checksum")).toMatchObject({ total: 4, done: 4 });
  rmSync(place.path("d/.kagurazaka/checksum"), { recursive: true });
  expect(await run("@checksum"), "without its ledger").toMatchObject({ total: 4, skipped: 4, passedOver: "4" });
  rmSync(place.path("d/a.txt"));
  // a.txt.gz is known from the ledger alone; the checksums are files like any other to @compress.
  expect(await run("@compress")).toMatchObject({ total: 5, skipped: 1, done: 4, passedOver: "2" });
  expect(Object.keys(place.files("d")).filter((name) => /\.gz\.gz|\.sha256\.sha256/.test(name))).toEqual([]);
});

test("nor are they when the task names its outputs otherwise, or gets the directory under another name", async () => {
  const place = createPlace({ "d/a.txt": "a" });
  symlinkSync("d", place.path("alias"));
  const run = async (...flags: string[]) =>
    (await place.run(["@compress", "--in", "d", ...flags, ...inline])).json.counts;
  expect(await run("--out", "d")).toEqual(counts({ done: 1 }));
  const other = ["--out", "alias", "--mixin", "output_mode.ext=.br"];
  expect(await run(...other)).toEqual(counts({ done: 1 }));
  expect(await run("--out", "d")).toEqual(counts({ skipped: 1 }));
  expect(await run(...other)).toEqual(counts({ skipped: 1 }));
  expect(Object.keys(place.files("d")).sort()).toEqual(["a.txt", "a.txt.br", "a.txt.gz"]);
});

test("a run directory inside the input root is no input, of this task or another", async () => {
  const place = createPlace({ "in/a.txt": "a" });
  const all = ["--mixin", 'input_mode={use: InputByExts, exts: [""]}', ...inline];
  const run = async (task: string, ...args: string[]) =>
    (await place.run([task, "--in", "in", "--out", "out", ...all, ...args])).json.counts;
  expect(await run("@checksum", "--run-dir", "in/state")).toEqual(counts({ done: 1 }));
  expect(await run("@checksum", "--run-dir", "in/state")).toEqual(counts({ skipped: 1 }));
  expect(await run("@compress")).toEqual(counts({ done: 1 }));
  // The directory itself is none either.
  const dirs = ["--mixin", "input_mode={use: InputBySubDirectory, sub_directory_level: 1}", "--dry-run", "--json"];
  const exec = ["@exec", "--in", "in", "--out", "o2", "--run-dir", "in/state", ...dirs, "--", "ls", "{}"];
  expect(JSON.parse((await place.run(exec)).stdout)).toMatchObject({ total: 0 });
});

test("export-inputs writes what the flags of selection select", async () => {
  const names = ["a", "b", "c", "d", "e", "f"].map((name) => `${name}.txt`);
  const place = createPlace(Object.fromEntries(names.map((name) => [`in/${name}`, name])));
  const select = async (...flags: string[]): Promise<string[]> => {
    const { code, stderr } = await place.run([
      "export-inputs",
      "list.jsonl",
      "--overwrite",
      "@word-count",
      "--in",
      "in",
      "--out",
      "out",
      ...flags,
    ]);
    expect(code, stderr).toBe(0);
    const lines = place
      .read("list.jsonl")
      .split("\n")
      .filter((line) => line !== "");
    expect(stderr).toContain(`${lines.length} items written`);
    return lines.map((line) => JSON.parse(line).input.file_name as string);
  };
  expect(await select()).toEqual(names);
  expect(await select("--limit", "3")).toEqual(names.slice(0, 3));
  expect(await select("--only", "[d-f].txt", "--limit", "2")).toEqual(["d.txt", "e.txt"]);
  expect(await select("--sample", "2")).toHaveLength(2);
  expect([...(await select("--shard", "0/2")), ...(await select("--shard", "1/2"))].toSorted()).toEqual(names);
});

test("an empty --only, as of a variable that is not set, is a mistake that leaves no file behind", async () => {
  const place = createPlace({ "in/a.txt": "a" });
  const { code, stderr } = await place.run(["@word-count", "--in", "in", "--out", "out", "--only", ""]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/only must be a text that is not empty[\s\S]*at --only/)]);
  expect(place.everything()).toEqual(["in", "in/a.txt"]);
});
