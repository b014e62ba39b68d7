import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openLocalFile } from "../../../src/data/stores/local-file.js";

test("a file that becomes shorter while it is read is an error, not an end", async () => {
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-file-"));
  try {
    const path = join(dir, "a");
    writeFileSync(path, "x".repeat(100));
    await using file = await openLocalFile(path);
    const chunks = file.stream(0, 100, 30);
    expect((await chunks.next()).value).toHaveLength(30);
    truncateSync(path, 50);
    const rest = async (): Promise<void> => {
      for await (const _ of chunks);
    };
    await expect(rest()).rejects.toThrow(/has become shorter while it was read: it ended at byte \d+ of 100/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
