import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KagurazakaError } from "../../src/base/errors.js";
import { openSeenKeys } from "../../src/runner/plan/bulk/seen-keys.js";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kagurazaka-seen-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("seen keys", () => {
  test.each([2, 3, 8, 100])(
    "count as a Map does, with %i keys in memory and the rest in the file",
    async (recentKeys) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.oneof(fc.nat(400), fc.string({ maxLength: 3 })), { maxLength: 1500 }),
          async (keys) => {
            const seen = openSeenKeys({ spillDir: dir, recentKeys });
            const expected = new Map<string, number>();
            try {
              for (const each of keys) {
                const key = String(each);
                const count = (expected.get(key) ?? 0) + 1;
                expected.set(key, count);
                expect(seen.add(key)).toBe(count);
              }
            } finally {
              await seen[Symbol.asyncDispose]();
            }
          },
        ),
        { seed: 7, numRuns: 60 },
      );
    },
  );

  test("repeats are found in runs of many blocks, first entries and last ones too", async () => {
    const seen = openSeenKeys({ spillDir: dir, recentKeys: 3000 });
    for (let i = 0; i < 20_000; i++) expect(seen.add(`k${i}`)).toBe(1);
    for (let i = 0; i < 20_000; i++) expect(seen.add(`k${i}`)).toBe(2);
    for (let i = 0; i < 20_000; i += 7) expect(seen.add(`k${i}`)).toBe(3);
    await seen[Symbol.asyncDispose]();
  });

  test("three million different keys: no false repeat, and the memory stays flat", async () => {
    const seen = openSeenKeys({ spillDir: dir });
    const before = process.memoryUsage().arrayBuffers;
    let repeats = 0;
    for (let i = 0; i < 3_000_000; i++) if (seen.add(`dir-${i % 1000}/file-${i}.txt`) !== 1) repeats++;
    expect(repeats).toBe(0);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32e6);
    expect(seen.add("dir-5/file-5.txt")).toBe(2);
    await seen[Symbol.asyncDispose]();
  });

  test("no file before memory is full, and none with a name afterwards", async () => {
    const spillDir = join(dir, "spill");
    const seen = openSeenKeys({ spillDir, recentKeys: 10 });
    for (let i = 0; i < 9; i++) seen.add(String(i));
    expect(existsSync(spillDir)).toBe(false);
    for (let i = 9; i < 30; i++) seen.add(String(i));
    expect(readdirSync(spillDir)).toEqual([]);
    await seen[Symbol.asyncDispose]();
    await seen[Symbol.asyncDispose]();
  });

  test("a directory that cannot be made is an environment error", () => {
    writeFileSync(join(dir, "file"), "");
    const seen = openSeenKeys({ spillDir: join(dir, "file/below"), recentKeys: 2 });
    expect(() => ["a", "b", "c"].map((key) => seen.add(key))).toThrow(
      expect.objectContaining({ code: "environment" }) as KagurazakaError,
    );
  });
});
