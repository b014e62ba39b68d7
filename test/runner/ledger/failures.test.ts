import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { toErrorRecord } from "../../../src/base/errors.js";
import {
  type FailedItem,
  failedItems,
  foldFailures,
  type Ledger,
  loadLedger,
  openLedger,
} from "../../../src/runner/ledger/index.js";
import { header, tempDir } from "./header.js";

const fail = (ledger: Ledger, key: string, message: string): void =>
  ledger.appendFailed({ key, attempts: 3, ms: 1, error: toErrorRecord(new Error(message)), item: { name: key } });

async function readAll(path: string): Promise<FailedItem[]> {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as FailedItem);
}

describe("failed.jsonl", () => {
  test("holds the latest failure of each key, with the item, from all runs", async () => {
    const root = tempDir();
    const dir = join(root, "ledger");
    const path = join(root, "failed.jsonl");
    {
      await using first = openLedger({ dir, header: header("r1", 1), durable: false });
      fail(first, "a", "old");
      fail(first, "b\u2028é", "stays");
      fail(first, "c", "mended later");
    }
    const index = await loadLedger(dir);
    const second = openLedger({ dir, header: header("r2", 2), durable: false, failed: index.failed });
    second.appendDone("c", 1);
    for (let i = 0; i < 10_000; i++) second.appendDone(`other-${i}`, 1);
    fail(second, "a", "new");
    fail(second, "d", "first time");
    second.flush();
    expect(await foldFailures({ index, ownFile: second.file, path, durable: true })).toBe(3);
    await second[Symbol.asyncDispose]();
    const items = await readAll(path);
    expect(items.map(({ key, message, run }) => [key, message, run]).sort()).toEqual([
      ["a", "new", "r2"],
      ["b\u2028é", "stays", "r1"],
      ["d", "first time", "r2"],
    ]);
    expect(items[0]).toMatchObject({
      class: "Error: new",
      attempts: 3,
      item: { name: "a" },
      stack: expect.stringContaining("Error: new"),
    });
    expect(readdirSync(root).sort()).toEqual(["failed.jsonl", "ledger"]);
    // A reload says the same as the index that was kept in step.
    expect([...(await loadLedger(dir)).failedKeys()].sort()).toEqual([...index.failedKeys()].sort());
  });

  test("includes what another shard records during this run", async () => {
    const root = tempDir();
    const dir = join(root, "ledger");
    const path = join(root, "failed.jsonl");
    await using other = openLedger({ dir, header: header("other", 1), durable: false });
    fail(other, "x", "to be mended");
    fail(other, "y", "stays");
    other.flush();
    const whole = readFileSync(other.path);
    // What this run loads ends inside a line the other is just writing.
    writeFileSync(other.path, whole.subarray(0, whole.length - 20));
    const index = await loadLedger(dir);
    expect([...index.failedKeys()]).toEqual(["x"]);
    writeFileSync(other.path, whole);
    other.appendDone("x", 1);
    other.flush();
    expect(await foldFailures({ index, path, durable: false })).toBe(1);
    expect((await readAll(path)).map((item) => item.key)).toEqual(["y"]);
  });

  test("is removed when nothing has failed", async () => {
    const root = tempDir();
    const path = join(root, "failed.jsonl");
    writeFileSync(path, "{}\n");
    expect(await foldFailures({ index: await loadLedger(join(root, "ledger")), path, durable: false })).toBe(0);
    expect(existsSync(path)).toBe(false);
    expect(await readAll(path)).toEqual([]);
  });

  test("failures are read from the ledger, also when the run was killed before it wrote failed.jsonl", async () => {
    const dir = join(tempDir(), "ledger");
    const killed = openLedger({ dir, header: header("r1", 1), durable: false });
    fail(killed, "a", "first");
    fail(killed, "b", "second");
    killed.flush();
    const index = await loadLedger(dir);
    expect([...failedItems(index)].map(({ key, message, item }) => [key, message, item])).toEqual([
      ["a", "first", { name: "a" }],
      ["b", "second", { name: "b" }],
    ]);
  });

  test("reading failures is not affected by outcomes recorded meanwhile", async () => {
    const dir = join(tempDir(), "ledger");
    const first = openLedger({ dir, header: header("r1", 1), durable: false });
    for (const key of ["a", "b", "c"]) fail(first, key, "first");
    first.flush();
    const index = await loadLedger(dir);
    const second = openLedger({ dir, header: header("r2", 2), durable: false, failed: index.failed });
    const keys: string[] = [];
    for (const { key } of failedItems(index)) {
      keys.push(key);
      if (key === "b") second.appendDone(key, 1);
      else fail(second, key, "again");
      second.flush();
    }
    expect(keys).toEqual(["a", "b", "c"]);
  });
});
