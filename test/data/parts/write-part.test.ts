import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadFormat } from "../../../src/data/formats/registry.js";
import { PartWriter } from "../../../src/data/parts/write-part.js";
import { createDirectory } from "../tree.js";

const open = async (dir: string): Promise<PartWriter> =>
  await PartWriter.open({
    path: join(dir, "train-00000-of-00001.jsonl"),
    item: { part: "train-00000-of-00001.jsonl", split: "train" },
    format: await loadFormat("jsonl"),
    compression: "none",
    features: undefined,
    options: {},
  });
const counts = { rowsIn: 0, dropped: 0, rejected: {} };
const asideOf = (dir: string): string => join(dir, "_rejected/train-00000-of-00001.jsonl");

test("rejected rows are on disk before the part is finished, in their order, and none are lost", async () => {
  const dir = createDirectory();
  await using part = await open(dir);
  const rows = Array.from({ length: 5000 }, (_, i) => ({ reason: "threw", row: { i, text: "é".repeat(30) } }));
  for (const row of rows) part.reject(row);
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  expect(statSync(asideOf(dir)).size).toBeGreaterThan(Buffer.byteLength(text) - (1 << 18));
  await part.finish(counts);
  expect(readFileSync(asideOf(dir), "utf8")).toBe(text);
});

test("there is no such file without rejected rows, nor beside a part that is not finished", async () => {
  const dir = createDirectory();
  {
    await using part = await open(dir);
    for (let i = 0; i < 5000; i++) part.reject({ row: { i, text: "rejected by the first attempt" } });
  }
  expect(existsSync(asideOf(dir))).toBe(false);
  const again = createDirectory();
  await using part = await open(again);
  await part.finish(counts);
  expect(existsSync(asideOf(again))).toBe(false);
});
