import { mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeDirectory } from "../../src/base/make-directory.js";

describe("making a directory", () => {
  const root = mkdtempSync(join(tmpdir(), "kagurazaka-"));

  it("makes what is missing above it, and minds none of it being there", () => {
    for (let i = 0; i < 2; i++) makeDirectory(join(root, "a/b/c"));
    expect(statSync(join(root, "a/b/c")).isDirectory()).toBe(true);
  });

  it("fails where a file stands in the way", () => {
    writeFileSync(join(root, "file"), "");
    expect(() => makeDirectory(join(root, "file"))).toThrow(/EEXIST/);
    expect(() => makeDirectory(join(root, "file/below"))).toThrow(/ENOTDIR/);
  });

  it.runIf(process.platform === "linux")("fails, and does not spin, where the parent is there and refuses", () => {
    expect(() => makeDirectory("/proc/kagurazaka/out")).toThrow(/ENOENT/);
  });
});
