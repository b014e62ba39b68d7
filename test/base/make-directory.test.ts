import fs, { mkdirSync, mkdtempSync, readdirSync, rmdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { makeDirectory, makeOwnDirectory } from "../../src/base/make-directory.js";

describe("making a directory", () => {
  const root = mkdtempSync(join(tmpdir(), "kagurazaka-"));
  const real = { mkdirSync: fs.mkdirSync };
  afterEach(() => {
    Object.assign(fs, real);
    syncBuiltinESMExports();
  });

  /** Another process does something before each of the first calls. */
  function beforeCalls(...others: (() => void)[]): void {
    fs.mkdirSync = ((path: string) => {
      others.shift()?.();
      return real.mkdirSync(path);
    }) as typeof fs.mkdirSync;
    syncBuiltinESMExports();
  }

  it("makes it also where other processes make and remove its parent meanwhile", () => {
    const [parent, child] = [join(root, "p"), join(root, "p/c")];
    const nothing = () => {};
    // Calls: child (ENOENT), parent (EEXIST), child (ENOENT: removed), parent, child (ENOENT: removed), parent, child.
    beforeCalls(
      nothing,
      () => mkdirSync(parent),
      () => rmdirSync(parent),
      nothing,
      () => rmdirSync(parent),
    );
    makeDirectory(child);
    expect(statSync(child).isDirectory()).toBe(true);
  });

  it("follows no symbolic link to a directory of ours", () => {
    mkdirSync(join(root, "victim"));
    symlinkSync("victim", join(root, "link"));
    symlinkSync("nowhere", join(root, "dangling"));
    for (const path of ["link", "dangling", "dangling/below"])
      expect(() => makeOwnDirectory(join(root, path)), path).toThrow("ELOOP");
    makeDirectory(join(root, "link"));
    expect(readdirSync(join(root, "victim"))).toEqual([]);
  });

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
