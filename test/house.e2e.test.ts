import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadsOf } from "./house/loads.js";

/** The rules of the house that only a run of the built product can show. */
describe("what is loaded", () => {
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-house-"));
  beforeAll(() => {
    mkdirSync(join(dir, "in"));
    writeFileSync(join(dir, "in/a.txt"), "a");
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const load = (...args: string[]) => loadsOf(args, dir, join(dir, "cache"));
  const roots = ["--mixin", "hard_shard_mode.input_path=in", "hard_shard_mode.output_path=out"];
  const glob = "input_mode={use: InputByGlob, glob_pattern: '*.txt'}";

  test.each(["-hk", "--help"])("%s: no package", (flag) => {
    const { status, main } = load(flag);
    expect([status, ...main]).toEqual([0]);
  });

  test("a worker: no parser, no engine but its own", () => {
    const { status, stderr, main, workers, workerFiles } = load(
      "@word-count",
      "--num-process",
      "1",
      ...roots,
      glob,
      "output_mode.ext=.glob",
    );
    expect(status, stderr).toBe(0);
    expect([...main], "the recorder sees what the coordinator loads").toEqual(
      expect.arrayContaining(["yaml", "piscina"]),
    );
    expect([...workers]).toEqual(["piscina"]);
    expect(workerFiles).toContain("src/runner/worker/main.js");
    const forbidden = /^src\/(?:cli|config|runner\/(?:plan|dispatch|ledger|lease|run))|^backbones\/(?!mp)/;
    expect(workerFiles.filter((file) => forbidden.test(file))).toEqual([]);
  });

  test("an inline run without patterns, bar or configuration: no piscina, esbuild, yaml", () => {
    const { status, stderr, main } = load("@checksum", "--backbone", "inline", ...roots);
    expect(status, stderr).toBe(0);
    expect([...main].filter((name) => name !== "deepmerge")).toEqual([]);
  });
});
