import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { features, Json, Nullable } from "../../../src/data/features/feature.js";
import { openSource } from "../../../src/data/source/source.js";
import { openWriter, writeRows } from "../../../src/data/writer/open-writer.js";
import { createDirectory } from "../tree.js";

const all = features({ j: Nullable(Json()) });

async function read(path: string): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const { j } of (await openSource(path, { features: all })).rows()) rows.push(j);
  return rows;
}

describe.each(["parquet", "arrow", "csv", "jsonl"])("JSON values in %s", (format) => {
  test("keep their integers; typed arrays are lists", async () => {
    const path = join(createDirectory(), `a.${format}`);
    const rows = [{ j: { big: 2n ** 60n + 1n, f: 1e20 } }, { j: [Int32Array.of(1, 2)] }, { j: null }, { j: "text" }];
    await writeRows(path, rows, { features: all });
    expect(await read(path)).toEqual([{ big: 2n ** 60n + 1n, f: 1e20 }, [[1, 2]], null, "text"]);
  });

  test.each([
    [{ a: Number.NaN }, /row 1 cannot be written: column j(?: is|:) NaN, which JSON cannot represent/],
    [{ a: new Map() }, /row 1 cannot be written: column j(?: is|:) a Map/],
  ])("%# is a bad row", async (value, says) => {
    await using writer = await openWriter(join(createDirectory(), `a.${format}`), { features: all });
    await expect(writer.write([{ j: 1 }, { j: value }])).rejects.toMatchObject({
      code: "bad-row",
      message: expect.stringMatching(says),
    });
  });
});
