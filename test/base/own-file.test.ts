import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { environmentError } from "../../src/base/disk.js";
import { findForeign } from "../../src/base/own-directory.js";
import { openOwn, readOwn, readOwnNames } from "../../src/base/own-file.js";
import { createFile, createWhole, replaceFile } from "../../src/base/whole-file.js";
import { tempDir } from "../runner/temp-dir.js";

test("a symbolic link in place of a file of ours is neither read nor written through", () => {
  const dir = tempDir();
  const [gold, link, dangling] = ["gold", "link", "dangling"].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(gold, "gold");
  symlinkSync("gold", link);
  symlinkSync("new", dangling);
  expect(() => readOwn(link)).toThrow("ELOOP");
  for (const path of [link, dangling]) {
    expect(() => openOwn(path, "new")).toThrow("EEXIST");
    expect(createFile(path, "bad")).toBe(false);
    expect(createWhole(path, "bad", join(dir, "temporary"))).toBe(false);
  }
  expect(readFileSync(gold, "utf8")).toBe("gold");
  expect(readdirSync(dir)).toEqual(["dangling", "gold", "link"]);
  expect(environmentError("read", link, Object.assign(new Error(), { code: "ELOOP" })).message).toMatch(
    "it is a symbolic link",
  );
});

test("what a temporary name leads to stays as it is", () => {
  const dir = tempDir();
  writeFileSync(join(dir, "gold"), "gold");
  for (const plant of [symlinkSync, linkSync]) {
    plant(join(dir, "gold"), join(dir, "temporary"));
    replaceFile(join(dir, "file"), "text", { temporary: join(dir, "temporary") });
  }
  expect(readFileSync(join(dir, "gold"), "utf8")).toBe("gold");
  expect(readFileSync(join(dir, "file"), "utf8")).toBe("text");
});

test("a device in place of a file of ours is not read", () => {
  expect(() => readOwn("/dev/null")).toThrow("not a regular file");
});

test("a directory of ours that is a symbolic link is a mistake, and has no names; the root may be one", () => {
  const dir = tempDir();
  mkdirSync(join(dir, "root"));
  mkdirSync(join(dir, "victim"));
  writeFileSync(join(dir, "victim/gold"), "");
  symlinkSync("root", join(dir, "alias"));
  expect(findForeign(join(dir, "alias"), join(dir, "alias/a/b"))).toBeUndefined();
  symlinkSync("../victim", join(dir, "root/a"));
  expect(findForeign(join(dir, "alias"), join(dir, "alias/a/b"))?.message).toMatch(
    /a is a symbolic link to \.\.\/victim/,
  );
  expect(readOwnNames(join(dir, "root/a"))).toEqual([]);
  expect(readOwnNames(join(dir, "victim"))).toEqual(["gold"]);
});
