import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveShardPaths, type ShardPaths } from "../../../src/runner/prepare/shard-paths.js";
import { folderOf } from "../../../src/runner/prepare/state-folder.js";
import { findOtherOwner } from "../../../src/runner/prepare/state-owner.js";
import { claimState } from "../../../src/runner/run/claim-state.js";
import { tempDir } from "../temp-dir.js";

/** The paths of a run, with its directories made. */
function place(outputPath: string | null, { runDir, task = "T" }: { runDir?: string; task?: string } = {}): ShardPaths {
  const paths = resolveShardPaths(task, [{ inputPath: "/in", outputPath }], runDir)[0]!;
  for (const dir of [outputPath, paths.stateDir]) if (dir !== null) mkdirSync(dir, { recursive: true });
  return paths;
}
const says = (paths: ShardPaths, task = "T"): string | undefined => findOtherOwner(paths, task)?.message;

describe("a state outside its output root", () => {
  test("is refused to another root, and to a run without one, before and with the lease", () => {
    const dir = tempDir();
    const runDir = join(dir, "st");
    const one = place(join(dir, "o1"), { runDir });
    expect(claimState(one, "T", "r1")).toBeUndefined();
    expect(says(one)).toBeUndefined();
    const two = place(join(dir, "o2"), { runDir });
    expect(findOtherOwner(two, "T")).toMatchObject({
      code: "other-state",
      message: `the state in ${two.stateDir} is of the output root ${dir}/o1; this run writes to ${dir}/o2`,
      hint: expect.stringContaining(`remove ${two.stateDir}/state.json`),
    });
    expect(() => claimState(two, "T", "r2")).toThrow("is of the output root");
    expect(says(place(null, { runDir }))).toContain("this run has no output root");
    rmSync(join(two.stateDir, "state.json"));
    expect(claimState(two, "T", "r2")).toBeUndefined();
    expect(says(one)).toContain(`of the output root ${dir}/o2`);
  });

  test("of a task that writes no files is refused to one with an output root", () => {
    const dir = tempDir();
    const runDir = join(dir, "st");
    claimState(place(null, { runDir }), "T", "r1");
    expect(says(place(join(dir, "out"), { runDir }))).toContain("of a task that writes no files");
  });

  test("knows its root under other names, moved, and along with itself", () => {
    const dir = tempDir();
    const runDir = join(dir, "a/st");
    claimState(place(join(dir, "a/out"), { runDir }), "T", "r1");
    symlinkSync(join(dir, "a/out"), join(dir, "link"));
    expect(says(place(join(dir, "link"), { runDir }))).toBeUndefined();
    expect(says(place(join(dir, "a/../a/out"), { runDir }))).toBeUndefined();
    cpSync(join(dir, "a"), join(dir, "b"), { recursive: true });
    expect(says(place(join(dir, "b/out"), { runDir: join(dir, "b/st") })), "both copied").toBeUndefined();
    renameSync(join(dir, "a/out"), join(dir, "a/moved"));
    expect(says(place(join(dir, "a/moved"), { runDir })), "the root moved").toBeUndefined();
    expect(says(place(join(dir, "a/out"), { runDir })), "a new one of the old name").toBeUndefined();
  });

  test("a root that was made where another one was removed is another root", () => {
    const dir = tempDir();
    const runDir = join(dir, "st");
    claimState(place(join(dir, "o1"), { runDir }), "T", "r1");
    rmSync(join(dir, "o1"), { recursive: true });
    expect(says(place(join(dir, "o2"), { runDir }))).toContain("of the output root");
  });

  test("is refused under the names of hard shards as well", () => {
    const dir = tempDir();
    const at = (out: string) =>
      resolveShardPaths(
        "T",
        ["0", "1"].map((name) => ({ inputPath: `/in/${name}`, outputPath: join(dir, out, name) })),
        join(dir, "st"),
      );
    for (const paths of [...at("o1"), ...at("o2")]) mkdirSync(paths.stateDir, { recursive: true });
    for (const paths of at("o1")) claimState(paths, "T", "r1");
    expect(at("o1").map((paths) => says(paths))).toEqual([undefined, undefined]);
    expect(at("o2").map((paths) => says(paths))).toEqual([0, 1].map(() => expect.stringContaining("output root")));
  });
});

test("a state below its output root moves with it, wherever that goes", () => {
  const dir = tempDir();
  const { stateDir } = place(join(dir, "out"));
  claimState(place(join(dir, "out")), "T", "r1");
  expect(JSON.parse(readFileSync(join(stateDir, "state.json"), "utf8"))).toMatchObject({ task: "T", root: "../.." });
  cpSync(join(dir, "out"), join(dir, "elsewhere/deep/out2"), { recursive: true });
  expect(says(place(join(dir, "elsewhere/deep/out2")))).toBeUndefined();
  expect(says(place(join(dir, "o2"), { runDir: join(dir, "out/.kagurazaka") }))).toContain("of the output root");
});

describe("a state of a task", () => {
  test("is refused to another task whose name makes the same directory, and kept where directory and task were renamed", () => {
    const dir = tempDir();
    const out = join(dir, "out");
    claimState(place(out, { task: "my task" }), "my task", "r1");
    expect(says(place(out, { task: "my/task" }), "my/task")).toContain("is of the task my task");
    expect(says(place(out, { task: "my_task" }), "my_task")).toContain("is of the task my task");
    claimState(place(out, { task: "Old" }), "Old", "r1");
    renameSync(join(out, ".kagurazaka/Old"), join(out, ".kagurazaka/New"));
    expect(claimState(place(out, { task: "New" }), "New", "r2")).toBeUndefined();
    expect(JSON.parse(readFileSync(join(out, ".kagurazaka/New/state.json"), "utf8")).task).toBe("New");
  });

  test("of names that are not ASCII is apart from others; what one alone wrote in an older directory stays its own", () => {
    const out = join(tempDir(), "out");
    const old = join(out, ".kagurazaka/__");
    const ran = (run: string, task: string): void => {
      mkdirSync(join(old, "runs", run), { recursive: true });
      writeFileSync(join(old, "runs", run, "run.json"), JSON.stringify({ v: 1, run, task }));
    };
    ran("r1", "検査");
    expect(place(out, { task: "検査" }).stateDir).toBe(old);
    expect(claimState(place(out, { task: "検査" }), "検査", "r2")).toBeUndefined();
    expect(place(out, { task: "検査" }).stateDir).toBe(old);
    expect(place(out, { task: "変換" }).stateDir).toBe(join(out, ".kagurazaka", folderOf("変換")));
    expect(says(place(out, { task: "__" }), "__")).toContain("is of the task 検査");
    rmSync(join(old, "state.json"));
    ran("r3", "変換");
    const mixed = place(out, { task: "検査" });
    expect(mixed.stateDir).toBe(join(out, ".kagurazaka", folderOf("検査")));
    expect(claimState(mixed, "検査", "r4")).toBe(
      `an older version kept the results of 検査 and 変換 in one place, ${old}: they are not used, 検査 has ${mixed.stateDir} now`,
    );
    expect(claimState(mixed, "検査", "r5"), "said once").toBeUndefined();
  });

  test("a damaged state.json is named and written anew", () => {
    const paths = place(join(tempDir(), "out"));
    claimState(paths, "T", "r1");
    const path = join(paths.stateDir, "state.json");
    const text = readFileSync(path, "utf8");
    for (const odd of [text.replace('"T"', '"U"'), "", "\0\u0001", "[]\n", "null"]) {
      writeFileSync(path, odd);
      expect(says(paths)).toBeUndefined();
      expect(claimState(paths, "T", "r2")).toBe(`${path} was damaged; it is written anew, for T`);
      expect(readFileSync(path, "utf8")).toBe(text);
    }
  });
});

test.each([
  ["Upper", "Upper"],
  ["my-task.v2@x+1", "my-task.v2@x+1"],
  ["my task", "my_task"],
  ["$a", "_a"],
  ["検査", expect.stringMatching(/^検査-[0-9a-f]{8}$/)],
  ["größe/é", expect.stringMatching(/^größe_é-[0-9a-f]{8}$/)],
  ["..", expect.stringMatching(/^..-[0-9a-f]{8}$/)],
  ["", expect.stringMatching(/^-[0-9a-f]{8}$/)],
  ["🦄".repeat(300), expect.stringMatching(/^_{40}-[0-9a-f]{8}$/)],
  ["検".repeat(300), expect.stringMatching(/^検{40}-[0-9a-f]{8}$/)],
  ["a".repeat(300), expect.stringMatching(/^a{40}-[0-9a-f]{8}$/)],
])("the directory of %j", (task, folder) => {
  expect(folderOf(task)).toEqual(folder);
  expect(dirname(join("/base", folderOf(task)))).toBe("/base");
});
