import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A directory for one test. */
export function tempDir(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "kagurazaka-unit-")));
  made.push(dir);
  return dir;
}
