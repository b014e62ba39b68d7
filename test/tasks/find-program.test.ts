import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { checkProgram } from "../../tasks/exec/find-program.js";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "find-program-"));
  mkdirSync(join(dir, "bin"));
  writeFileSync(join(dir, "bin", "tool"), "");
  chmodSync(join(dir, "bin", "tool"), 0o755);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

test("a directory of PATH that cannot be looked into hides no program behind it", () => {
  // Root, as whom tests may run, can enter any directory, but nobody gets through this link.
  symlinkSync("loop", join(dir, "loop"));
  vi.stubEnv("PATH", `${join(dir, "loop")}:${join(dir, "bin")}`);
  expect(() => checkProgram("tool", ".")).not.toThrow();
  expect(() => checkProgram("tol", ".")).toThrow(/there is no program "tol" in PATH\. Did you mean "tool"\?/);
  expect(() => checkProgram("./loop/tool", dir)).toThrow(/the program \.\/loop\/tool cannot be looked at: ELOOP/);
});

test("a program named by its path is looked for there", () => {
  expect(() => checkProgram("bin/tool", dir)).not.toThrow();
  chmodSync(join(dir, "bin", "tool"), 0o644);
  expect(() => checkProgram("bin/tool", dir)).toThrow(/is not executable/);
  expect(() => checkProgram("./bin", dir)).toThrow(/is no file/);
  expect(() => checkProgram("bin/none", dir)).toThrow(/does not exist/);
});
