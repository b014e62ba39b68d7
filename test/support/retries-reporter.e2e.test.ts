import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const repository = new URL("../../", import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), "kagurazaka-retries-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("a test that passed at its second try is named, with what was wrong at the first", () => {
  symlinkSync(join(repository, "node_modules"), join(dir, "node_modules"));
  const reporter = JSON.stringify(join(repository, "test/support/retries-reporter.ts"));
  writeFileSync(
    join(dir, "vitest.config.ts"),
    `import { RetriesReporter } from ${reporter};
     export default { test: { retry: 1, reporters: [new RetriesReporter()], projects: [{ extends: true, test: { name: "p" } }] } };`,
  );
  writeFileSync(
    join(dir, "late.test.ts"),
    `import { describe, test } from "vitest";
     let tries = 0;
     describe("a", () => test("b", () => { if (tries++ === 0) throw new Error("too late\\nby far"); }));
     test("c", () => {});`,
  );
  const run = (...flags: string[]): string =>
    spawnSync(process.execPath, [join(repository, "node_modules/vitest/vitest.mjs"), "run", ...flags], {
      cwd: dir,
      encoding: "utf8",
    }).stdout;
  expect(run()).toBe("retried: p late.test.ts > a > b (1 retry)\n  too late\n");
  expect(run("-t", "c")).toBe("retried: none\n");
});
