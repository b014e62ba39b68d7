import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TaskContext } from "../../src/index.js";
import Checksum from "../../tasks/checksum.js";
import WordCount from "../../tasks/word-count.js";
import { createTree } from "../data/tree.js";
import { itemOf } from "./item-of.js";

/** The ready-made tasks beside the programs of the system that do the same. */

test("word-count agrees with wc on real files of ASCII, where no locale has a say", () => {
  const dir = join(import.meta.dirname, "../../node_modules/typescript/lib");
  const files = readdirSync(dir).filter(
    (name) => name.endsWith(".d.ts") && !/[^\0-\x7f]/.test(readFileSync(join(dir, name), "latin1")),
  );
  expect(files.length).toBeGreaterThan(20);
  const wc = execFileSync("wc", ["-lwc", ...files], { cwd: dir, encoding: "utf8" });
  const said = wc
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  for (const [lines, words, bytes, name] of said.slice(0, -1)) {
    const item = itemOf(dir, name!, ".json");
    new WordCount().process(item);
    expect(JSON.parse(readFileSync(item.output.path, "utf8")), name).toMatchObject({
      lines: Number(lines),
      words: Number(words),
      bytes: Number(bytes),
    });
  }
});

test("checksum: sha256sum -c takes the lines, run from the input root, odd names too", async (context) => {
  if (spawnSync("sha256sum", ["--version"]).status !== 0) context.skip("no sha256sum here");
  const root = createTree({ "a.txt": "1", "sub dir/b.txt": "2", "c\\d\ne.txt": "3", empty: "" });
  const ctx = { signal: new AbortController().signal } as unknown as TaskContext;
  const lines: string[] = [];
  for (const path of ["a.txt", "sub dir/b.txt", "c\\d\ne.txt", "empty"]) {
    const item = itemOf(root, path, ".checksum");
    const task = new Checksum();
    task.options = { algorithm: "sha256" };
    await task.process(item, ctx);
    lines.push(readFileSync(item.output.path, "utf8"));
  }
  const said = execFileSync("sha256sum", ["-c"], { cwd: root, input: lines.join(""), encoding: "utf8" });
  expect(said.match(/: OK$/gm)?.length).toBe(4);
});
