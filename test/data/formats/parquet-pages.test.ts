import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open as openHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createRandom } from "../../../src/base/random.js";
import type { Row } from "../../../src/data/batch/batch.js";
import { type Features, features, Nullable } from "../../../src/data/features/feature.js";
import { loadFormat } from "../../../src/data/formats/registry.js";
import { openShard, type Shard } from "../../../src/data/shard/shard.js";
import { fixture, openFixture, rowsIn } from "./golden.js";

const directory = mkdtempSync(join(tmpdir(), "kagurazaka-pages-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** As make.py has them. */
function pagedRow(id: number): Row {
  const lists = Array.from({ length: id % 6 }, (_, j) =>
    j % 5 === 4 ? null : Int32Array.from({ length: (id + j) % 4 }, (_, k) => j + k),
  );
  return {
    id,
    word: id % 11 === 5 ? null : `w${id % 40}`,
    lists: id % 7 === 3 ? null : lists,
    long: Float64Array.from({ length: id % 50 === 7 ? 90 : 2 }, () => id),
  };
}

const pagedRows = Array.from({ length: 500 }, (_, id) => pagedRow(id));

describe.each(["v1", "v1-index", "v2", "v2-index"])("pages-%s.parquet of pyarrow", (kind) => {
  test("has its rows, read whole", async () => {
    await using shard = await openFixture(`pages-${kind}.parquet`, "parquet");
    expect(await rowsIn(shard)).toEqual(pagedRows);
  });

  test("has its rows in any range, in batches of any size", async () => {
    await using shard = await openFixture(`pages-${kind}.parquet`, "parquet");
    const random = createRandom(kind);
    for (let i = 0; i < 40; i++) {
      const from = Math.floor(random() * 501);
      const to = from + Math.floor(random() * (501 - from));
      const batchRows = 1 + Math.floor(random() * 60);
      expect(await rowsIn(shard, { from, to, batchRows }), `${from} to ${to} by ${batchRows}`).toEqual(
        pagedRows.slice(from, to),
      );
    }
  });

  test("gives a single column of single rows", async () => {
    await using shard = await openFixture(`pages-${kind}.parquet`, "parquet");
    for (const row of [0, 7, 57, 299, 300, 307, 499])
      for (const name of ["lists", "long", "word"] as const)
        expect(await rowsIn(shard, { from: row, to: row + 1, columns: [name] })).toEqual([
          { [name]: pagedRows[row]![name] },
        ]);
  });
});

test("reading some rows reads some of the file", async () => {
  const path = join(directory, "large.parquet");
  const rows = 200_000;
  await write(path, features({ id: "float64", score: "float64" }), [
    { length: rows, columns: { id: Float64Array.from({ length: rows }, (_, i) => i), score: new Float64Array(rows) } },
  ]);
  const handle = await openHandle(path);
  const reads: number[] = [];
  const file = {
    name: path,
    size: (await handle.stat()).size,
    read: async (offset: number, length: number) => {
      reads.push(length);
      return (await handle.read(Buffer.alloc(length), 0, length, offset)).buffer;
    },
    stream: () => {
      throw new Error("parquet files are not streamed");
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
  const format = await loadFormat("parquet");
  await using reader = await format.open({ file, packing: "none", options: {}, features: undefined });
  reads.length = 0;
  for await (const batch of reader.batches!({ from: 190_000, to: 190_010 }))
    expect([...(batch.columns.id as Float64Array)]).toEqual(Array.from({ length: 10 }, (_, i) => 190_000 + i));
  const size = file.size;
  expect(reads.reduce((sum, length) => sum + length, 0)).toBeLessThan(size / 2);
});

describe("what we write", () => {
  const schema = features({
    word: "string",
    text: "string",
    flag: "bool",
    number: "int32",
    lists: [["int16"]],
    pairs: [{ key: "string", size: "float32" }],
  });
  const random = createRandom("pages");
  const rows = Array.from({ length: 9_000 }, (_, i): Row => {
    const length = Math.floor(random() * 4);
    return {
      word: `word ${i % 37}`,
      // Repeats at first, and then no more: the dictionary is given up on the way.
      text: i < 2000 ? `text ${i % 50}` : `text ${i} ${"ä".repeat(i % 400)}`,
      flag: i % 3 === 0,
      number: i,
      lists: Array.from({ length }, (_, j) => Int16Array.from({ length: j * 3 }, (_, k) => k - i)),
      pairs: Array.from({ length: (length + 1) % 3 }, (_, j) => ({ key: `k${j}`, size: Math.fround(j / 3) })),
    };
  });
  const nullable = rows.map((row, i) =>
    Object.fromEntries(Object.entries(row).map(([name, value], c) => [name, (i + c) % 13 === 0 ? null : value])),
  );
  const asNullable: Features = Object.fromEntries(
    Object.entries(schema).map(([name, feature]) => [name, Nullable(feature)]),
  );

  test.each([
    ["without nulls", schema, rows],
    ["with nulls", asNullable, nullable],
  ])("%s comes back, in pages that do not depend on how rows are given", async (name, schema, rows) => {
    const files = [];
    for (const size of [9_000, 777, 5]) {
      const path = join(directory, `${name} ${size}.parquet`);
      const parts = Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
        rows.slice(i * size, (i + 1) * size),
      );
      files.push(await write(path, schema, parts));
      await using shard = await open(path);
      expect(await rowsIn(shard)).toEqual(rows);
      for (const from of [0, 1_999, 5_999, 8_990])
        expect(await rowsIn(shard, { from, to: from + 10 })).toEqual(rows.slice(from, from + 10));
    }
    expect(new Set(files.map(({ sha256 }) => sha256)).size).toBe(1);
  });
});

const open = async (path: string): Promise<Shard> =>
  await openShard({ path, format: await loadFormat("parquet"), packing: "none", options: {} });

async function write(
  path: string,
  schema: Features,
  parts: readonly (Row[] | { length: number; columns: Record<string, Float64Array> })[],
): Promise<{ sha256: string }> {
  const format = await loadFormat("parquet");
  const request = { path, features: schema, compression: "snappy", options: {}, groupRows: 6_000 };
  await using writer = await format.create(request);
  for (const part of parts)
    if (Array.isArray(part)) await writer.writeRows(part);
    else await writer.writeBatch!(part);
  return await writer.finish();
}

test("a page that is damaged is told of by column and file", async () => {
  const bytes = readFileSync(fixture("pages-v2.parquet"));
  const path = join(directory, "damaged.parquet");
  bytes.fill(0xff, 200, 400);
  writeFileSync(path, bytes);
  await using shard = await open(path);
  await expect(rowsIn(shard)).rejects.toThrow(/damaged\.parquet: column id cannot be read/);
});
