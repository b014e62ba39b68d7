import { existsSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { counts, createPlace, taskFile } from "./kagurazaka.js";

/** `ctx.keptDir`: what an item has for its next attempt. */
describe.concurrent("ctx.keptDir", () => {
  const run = (name: string, ...more: string[]) => [
    taskFile("keeps.ts"),
    name,
    "--json",
    "--backoff",
    "10ms",
    "--max-failures",
    "none",
    ...more,
  ];

  for (const [name, dir] of [
    ["KeepsBesideOutputs", "out/.kagurazaka/kept/KeepsBesideOutputs"],
    ["KeepsWithoutOutputs", ".kagurazaka/KeepsWithoutOutputs/kept"],
  ] as const) {
    test(`outlives failed attempts and runs, and goes when the item is done or filtered (${name})`, async () => {
      const place = createPlace();
      const first = await place.run(run(name, "--retries", "1"));
      expect(first.json.counts, first.stderr).toEqual(counts({ done: 1, filtered: 1, failed: 3 }));
      expect(first.stderr).toMatch(/third-time found "" true[\s\S]*third-time found "x" true/);
      const kept = place.everything(dir);
      expect(kept, "two items that failed and had kept something; no other directory").toHaveLength(4);
      for (const path of kept) expect(path).toMatch(/^[0-9a-f]{24}(?:\/attempts)?$/);

      const second = await place.run(run(name, "--retries", "0"));
      expect(second.json.counts, second.stderr).toEqual(counts({ done: 1, skipped: 2, failed: 2 }));
      expect(second.stderr).toContain('third-time found "xx" true');
      expect(place.everything(dir)).toHaveLength(2);
    });
  }

  test("outlives a kill of the whole run; nothing is left of it when all are done", async () => {
    const place = createPlace();
    const only = run("KeepsBesideOutputs", "--only", "third-time", "--retries", "5");
    const { child, says, ended } = place.start([...only, "--hang"]);
    await says('third-time found "x"');
    child.kill("SIGKILL");
    await ended;
    const again = await place.run(only);
    expect(again.stderr).toContain('third-time found "xx"');
    expect(again.json.counts).toEqual(counts({ done: 1 }));
    expect(place.everything("out/.kagurazaka").filter((path) => path.includes("kept"))).toEqual([]);
  });

  test("has no links that an archive may have brought: what is written to their names stays here", async () => {
    const place = createPlace({ "gold.txt": "gold" });
    const only = run("KeepsBesideOutputs", "--only", "gives-up", "--retries", "0");
    await place.run(only);
    const dir = place.path("out/.kagurazaka/kept/KeepsBesideOutputs");
    const file = place
      .everything("out/.kagurazaka/kept/KeepsBesideOutputs")
      .find((path) => path.endsWith("/attempts"))!;
    rmSync(join(dir, file));
    symlinkSync(place.path("gold.txt"), join(dir, file));
    const { stderr } = await place.run(only);
    expect(place.read("gold.txt"), stderr).toBe("gold");
  });

  for (const [title, retries, runs] of [
    ["the attempt", "1", 1],
    ["the run", "0", 2],
  ] as const) {
    test(`goes too where ${title} that succeeds does not look at it`, async () => {
      const place = createPlace();
      for (let i = 1; i <= runs; i++) {
        const { json, stderr } = await place.run(run("KeepsOnce", "--retries", retries));
        expect(json.counts, stderr).toEqual(counts(i === runs ? { done: 1 } : { failed: 1 }));
      }
      expect(place.everything("out/.kagurazaka").filter((path) => path.includes("kept"))).toEqual([]);
    });
  }

  test("does not make an output root anew that has gone", async () => {
    const place = createPlace();
    const { code, stderr } = await place.run(run("KeepsBesideOutputs", "--only", "third-time", "--vanish"));
    expect([code, existsSync(place.path("out"))], stderr).toEqual([7, false]);
  });
});
