import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Batch, Row } from "../../../src/data/batch/batch.js";
import { type Features, features } from "../../../src/data/features/feature.js";
import { loadFormat } from "../../../src/data/formats/registry.js";
import { defineMap, type MapContext, type MapDefinition } from "../../../src/data/map/define-map.js";
import { type MapSliceRequest, mapSlice, type RejectedRow } from "../../../src/data/map/map-slice.js";
import { openShard } from "../../../src/data/shard/shard.js";
import { createDirectory } from "../tree.js";

interface Ran {
  readonly rows: Row[];
  readonly batches: Batch[];
  readonly rejected: RejectedRow[];
  readonly counts: Awaited<ReturnType<typeof mapSlice>>;
}

/** Maps a file of JSON lines. */
async function run(text: string, map: MapDefinition, more: Partial<MapSliceRequest> = {}): Promise<Ran> {
  const path = join(createDirectory(), "rows.jsonl");
  writeFileSync(path, text);
  await using shard = await openShard({ path, format: await loadFormat("jsonl"), packing: "none", options: {} });
  const ran = { rows: [] as Row[], batches: [] as Batch[], rejected: [] as RejectedRow[] };
  const counts = await mapSlice({
    map,
    shard,
    read: {},
    inputFeatures: features({ n: "int64" }),
    outputFeatures: undefined,
    onError: "fail",
    seed: "1",
    names: { source: "rows", shard: "rows.jsonl", split: "train" },
    signal: new AbortController().signal,
    write: async (rows) => void ran.rows.push(...rows),
    reject: (row) => ran.rejected.push(row),
    alive: () => {},
    ...more,
  });
  return { ...ran, counts };
}

const lines = (count: number): string => Array.from({ length: count }, (_, n) => `${JSON.stringify({ n })}\n`).join("");
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("rows whose results are promises", () => {
  /** How many calls were open at most, and the rows. */
  async function measured(count: number, concurrency: number): Promise<{ most: number; rows: Row[] }> {
    let [open, most] = [0, 0];
    const map = defineMap({
      concurrency,
      map: async (row: Row) => {
        open++;
        most = Math.max(most, open);
        await sleep(row.n % 5 === 0 ? 4 : 1);
        open--;
        return row;
      },
    });
    // A line of 3 KB: a block has some twenty of them.
    const text = Array.from({ length: count }, (_, n) => `${JSON.stringify({ n, pad: "x".repeat(3000) })}\n`).join("");
    const { rows } = await run(text, map);
    return { most, rows };
  }

  test("wait side by side, those of the next block too, and come in order", async () => {
    const { most, rows } = await measured(300, 100);
    expect(most).toBe(100);
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 300 }, (_, n) => n));
  });

  test("are one at a time where that is wanted", async () => {
    const { most, rows } = await measured(20, 1);
    expect(most).toBe(1);
    expect(rows).toHaveLength(20);
  });

  test("are no more called once the slice is aborted", async () => {
    const controller = new AbortController();
    let calls = 0;
    const map = defineMap({
      concurrency: 4,
      map: async (row: Row) => {
        if (++calls === 10) controller.abort(new Error("enough"));
        await sleep(1);
        return row;
      },
    });
    await expect(run(lines(5000), map, { signal: controller.signal })).rejects.toThrow("enough");
    expect(calls).toBe(10);
  });

  test("show that the slice is alive, one by one", async () => {
    let alive = 0;
    await run(lines(10), defineMap({ concurrency: 1, map: async (row: Row) => row }), { alive: () => alive++ });
    expect(alive).toBeGreaterThanOrEqual(10);
  });

  test("may fail or be dropped each by itself", async () => {
    const map = defineMap({
      map: async function* (row: Row) {
        if (row.n === 3) throw new Error("three");
        if (row.n % 2 === 0) yield row;
      },
    });
    const { rows, rejected, counts } = await run(lines(6), map, { onError: "reject" });
    expect(rows.map(({ n }) => n)).toEqual([0, 2, 4]);
    expect(rejected).toMatchObject([{ reason: "threw", message: "three", row: { n: 3 } }]);
    expect(counts).toEqual({ rowsIn: 6, rowsOut: 3, dropped: 2, rejected: { threw: 1 } });
  });
});

describe("a row that fails", () => {
  const text = '{"n":1}\n{"n":2}\n';
  const failing = (error: unknown) => ({
    get n(): number {
      throw error;
    },
  });

  test("because a field cannot be read costs itself", async () => {
    const map = defineMap({ map: (row: Row) => (row.n === 1 ? failing(new TypeError("getter")) : row) });
    const outputFeatures = features({ n: "int64" });
    const { rows, rejected } = await run(text, map, { onError: "reject", outputFeatures });
    expect(rows).toEqual([{ n: 2 }]);
    expect(rejected).toMatchObject([{ reason: "not-in-features", message: "column n: it cannot be read: getter" }]);
    await expect(run(text, map, { outputFeatures })).rejects.toThrow(/rows\.jsonl:1: column n: it cannot be read/);
  });

  test.each([
    [new Date(0), "a Date"],
    [Object(1), "a Number"],
    [new URL("http://a/"), "a URL with toJSON"],
    [new WeakMap(), "a WeakMap"],
  ])("because it is none: %s", async (result, what) => {
    const map = defineMap({ map: () => result as Row });
    await expect(run(text, map)).rejects.toThrow(`the function returned ${what} for a row: return an object`);
  });
});

describe("a function over batches", () => {
  const text = '{"n":1}\n\n{"n":2}\n\n\n{"n":3}\n{"n":4}\n';

  test("fails row by row, each named by its line", async () => {
    const map = defineMap({
      batchSize: 3,
      map: (batch: Batch) => {
        if (Array.from(batch.columns.n!).includes(3)) throw new Error("three");
        return batch;
      },
    });
    const { rows, rejected } = await run(text, map, { onError: "reject" });
    expect(rows.map(({ n }) => n)).toEqual([1, 2, 4]);
    expect(rejected.map(({ where, row }) => [where.replace(/.*\//, ""), row])).toEqual([["rows.jsonl:6", { n: 3 }]]);
  });

  test("gets no row that its columns cannot hold", async () => {
    const map = defineMap({ batchSize: 3, map: (batch: Batch) => batch });
    const mixed = '{"n":1}\n{"n":"2"}\n\n{"n":3.5}\n{"n":4}\n{"n":5,"m":1}\n';
    for (const n of ["int64", "float64"] as const) {
      const { rows, rejected, counts } = await run(mixed, map, { onError: "reject", inputFeatures: features({ n }) });
      expect(rows).toEqual(n === "int64" ? [{ n: 1 }, { n: 4 }] : [{ n: 1 }, { n: 3.5 }, { n: 4 }]);
      expect(rejected[0]).toMatchObject({
        reason: "unreadable",
        message: `column n: "2" is not ${n}`,
        row: '{"n":"2"}',
      });
      expect(rejected.at(-1)!.message).toContain("column m: the features have no such column");
      expect(counts.rowsIn).toBe(5);
      await expect(run(mixed, map, { inputFeatures: features({ n }) })).rejects.toMatchObject({
        code: "bad-data",
        message: expect.stringMatching(/rows\.jsonl:2: column n: "2" is not/),
      });
    }
  });

  test("knows the line of its first row", async () => {
    const seen: number[] = [];
    const map = defineMap({
      batchSize: 2,
      map: (batch: Batch, ctx: MapContext) => {
        seen.push(ctx.row);
        return batch;
      },
    });
    await run(text, map);
    expect(seen).toEqual([1, 6]);
  });

  test("is written as columns where the format takes them, and as rows where a value does not fit", async () => {
    const batches: Batch[] = [];
    const outputFeatures: Features = features({ n: "int64", half: ["float32"] });
    const map = defineMap({
      batchSize: 2,
      map: ({ columns: { n } }: Batch) => ({
        n: n!,
        half: Array.from(n as Float64Array, (one) => (one === 3 ? "three" : Float32Array.of(one / 2))),
      }),
    });
    const { rows, rejected, counts } = await run(text, map, {
      outputFeatures,
      onError: "reject",
      writeBatch: async (batch) => void batches.push(batch),
    });
    expect(batches).toEqual([
      { length: 2, columns: { n: Float64Array.of(1, 2), half: [Float32Array.of(0.5), Float32Array.of(1)] } },
    ]);
    expect(rows).toEqual([{ n: 4, half: Float32Array.of(2) }]);
    expect(rejected).toMatchObject([{ reason: "not-in-features", row: { n: 3 } }]);
    expect(counts).toMatchObject({ rowsIn: 4, rowsOut: 3, rejected: { "not-in-features": 1 } });
  });
});

test.each<[string, unknown, string]>([
  ["a generator", (async function* () {})(), "the function returned a "],
  ["a Map", new Map([["n", [1]]]), "the function returned a Map"],
  ["rows", [{ n: 1 }], "the function returned an array"],
  ["a number", 7, "the function returned a number"],
  ["no array", { n: 1 }, "no array for column n"],
  ["another length", { length: 5, columns: { n: [1, 2] } }, "a batch of 5 rows whose column n has 2"],
  ["lengths that differ", { n: [1, 2], m: [1] }, "n has 2, m has 1"],
])("a function over batches that returns %s fails", async (_, result, message) => {
  const map = defineMap({ batchSize: 2, map: () => result as never });
  await expect(run(lines(3), map)).rejects.toThrow(message);
});

const none = (): null => null;
test.each([
  [{ batchSize: 0, map: none }, "batchSize is 0"],
  [{ concurrency: 1.5, map: none }, "concurrency is 1.5"],
  [{ batchSize: 2, concurrency: 2, map: none }, "is over batches"],
  [{ map: "clean" }, "map is string"],
])("defineMap refuses %o", (definition, message) => {
  expect(() => defineMap(definition as never)).toThrow(message);
});
