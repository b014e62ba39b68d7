import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

test("every test file is in exactly one project", () => {
  const root = new URL("..", import.meta.url).pathname;
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const listed = execFileSync(process.execPath, [vitest, "list", "--filesOnly", "--json"], {
    cwd: root,
    encoding: "utf8",
  });
  const files = (JSON.parse(listed) as { file: string }[]).map(({ file }) => file);
  const onDisk = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:test|spec)\.\w+$/.test(name))
    .map((name) => join(root, "test", name));
  expect(files.toSorted()).toEqual(onDisk.toSorted());
});
