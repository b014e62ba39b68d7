import { appendFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../../src/data/loader/dataset.js";
import { loadDataset } from "../../../src/data/loader/load-dataset.js";
import { collect } from "./files.js";

const ROWS = 50_000;
const lineOf = (id: number): string => `${JSON.stringify({ id, text: `${id} `.padEnd(1000, "x") })}\n`;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What is alive. Node 24 lets buffers go only a collection later. */
function usedBytes(): number {
  for (let i = 0; i < 3; i++) collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe("a file of 50 MB", () => {
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-memory-"));
  const path = join(dir, "a.jsonl");
  let dataset: Dataset;

  beforeAll(async () => {
    // Not by a stream: what it holds until it is written would hide what the dataset holds.
    for (let from = 0; from < ROWS; from += 1000)
      appendFileSync(path, Array.from({ length: 1000 }, (_, i) => lineOf(from + i)).join(""));
    expect(statSync(path).size).toBeGreaterThan(50e6);
    dataset = await loadDataset(path, { split: "train" });
  });

  afterAll(async () => {
    await dataset[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });

  test("is counted once, and read at any row without being held", async () => {
    const before = usedBytes();
    expect(await dataset.length()).toBe(ROWS);
    let most = 0;
    for (let i = 0; i < 2000; i++) {
      const id = (i * 7919) % ROWS;
      expect((await dataset.at(id)).id).toBe(id);
      if (i % 250 === 0) most = Math.max(most, usedBytes());
    }
    // The blocks that were used last are kept, 16 MB of the file.
    expect(most - before).toBeLessThan(40e6);
  });

  test("is shuffled and read in batches without being held", async () => {
    const before = usedBytes();
    let [rows, sum, most] = [0, 0, 0];
    for await (const { length, columns } of dataset.batches(1000)) {
      rows += length;
      for (const id of columns.id as Float64Array) sum += id;
      if (rows % 10_000 === 0) most = Math.max(most, usedBytes());
    }
    expect([rows, sum]).toEqual([ROWS, (ROWS * (ROWS - 1)) / 2]);
    expect((await collect(dataset.shuffle(1).take(500))).length).toBe(500);
    expect(Math.max(most, usedBytes()) - before).toBeLessThan(40e6);
  });

  test("a row at random costs a block of it, not the file", async () => {
    const start = performance.now();
    for (let i = 0; i < 200; i++) await dataset.at((i * 104_729) % ROWS);
    // 200 × 64 KB; reading the file 200 times would take a minute.
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
