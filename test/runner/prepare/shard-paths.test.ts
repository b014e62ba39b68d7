import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkRoots, resolveShardPaths } from "../../../src/runner/prepare/shard-paths.js";
import { tempDir } from "../temp-dir.js";

function mistakesOf(outputs: readonly string[], runDir?: string): string[] {
  const roots = outputs.map((outputPath, i) => ({ inputPath: `/in/${i}`, outputPath }));
  return checkRoots(roots, false, resolveShardPaths("Task", roots, runDir), "Task").map(({ message }) => message);
}

describe("a directory of ours that is a symbolic link", () => {
  test.each([
    "",
    "/Task",
    "/Task/ledger",
    "/Task/lease",
    "/Task/runs",
    "/Task/under-way",
    "/staging",
    "/kept",
    "/kept/Task",
  ])("is a mistake before anything is written: .kagurazaka%s", (below) => {
    const out = tempDir();
    const link = join(out, `.kagurazaka${below}`);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(tempDir(), link);
    expect(mistakesOf([out])).toEqual([expect.stringContaining(`${link} is a symbolic link to /`)]);
  });

  test("is one below --run-dir as well, once for all shards; --run-dir and output root may be links", () => {
    const [real, dir] = [tempDir(), tempDir()];
    const link = (name: string): string => join(dir, name);
    for (const name of ["out", "rd"]) symlinkSync(real, link(name));
    expect(mistakesOf([link("out")], link("rd"))).toEqual([]);
    symlinkSync(tempDir(), join(real, "Task"));
    expect(mistakesOf([link("out"), link("other")], link("rd"))).toEqual([expect.stringContaining("symbolic link")]);
  });

  test("and a file is none either", () => {
    const out = tempDir();
    writeFileSync(join(out, ".kagurazaka"), "");
    expect(mistakesOf([out])).toEqual([expect.stringContaining("not a directory")]);
  });
});

test("two shards have no output root in common, under whatever names", () => {
  const dir = tempDir();
  mkdirSync(join(dir, "0"));
  symlinkSync("0", join(dir, "1"));
  for (const name of ["", "/out"])
    expect(mistakesOf([`${dir}/0${name}`, `${dir}/1${name}`])).toEqual([
      expect.stringContaining("two shards have one output root"),
    ]);
  expect(mistakesOf([`${dir}/0/a`, `${dir}/1/b`])).toEqual([]);
});
