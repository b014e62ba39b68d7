import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));

test("the doors load no pattern library, no parser and no zlib streams", () => {
  for (const door of ["index", "kit"]) {
    const probe = `
      // Node 24 loads more than its name says for it.
      await import("node:util");
      const before = new Set(process.moduleLoadList);
      await import(${JSON.stringify(`${root}dist/src/${door}.js`)});
      const { createRequire } = await import("node:module");
      const packages = Object.keys(createRequire(${JSON.stringify(`${root}x.js`)}).cache ?? {});
      console.log(JSON.stringify({ packages, native: process.moduleLoadList.filter((name) => !before.has(name)) }));`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", probe], { encoding: "utf8" });
    const { packages, native } = JSON.parse(output) as { packages: string[]; native: string[] };
    expect(packages).toEqual([]);
    expect(native.filter((name) => /NativeModule (zlib|worker_threads|child_process|http|net)$/.test(name))).toEqual(
      [],
    );
  }
});
