import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { batchOf, type Row, rowsOf } from "../../../src/data/batch/batch.js";
import { type Features, features, Nullable } from "../../../src/data/features/feature.js";
import { Dataset } from "../../../src/data/loader/dataset.js";
import { DatasetDict, loadDataset } from "../../../src/data/loader/load-dataset.js";
import { writeRows } from "../../../src/data/writer/open-writer.js";
import { createDirectory } from "../tree.js";
import { collect, FEATURES, type Kind, rowsUpTo, TOY, writeShards } from "./files.js";

const COUNTS = [130, 0, 1, 700, 69];
const TOTAL = COUNTS.reduce((a, b) => a + b);
const all = rowsUpTo(TOTAL);

const load = async (kind: Kind): Promise<Dataset> =>
  (await loadDataset(await writeShards(kind, COUNTS), {
    split: "train",
    features: FEATURES,
    ...(kind === "toy" ? { format: TOY } : {}),
  })) as unknown as Dataset;

const kinds: Readonly<Record<string, () => Promise<Dataset>>> = {
  "JSON lines": () => load("jsonl"),
  "packed JSON lines": () => load("jsonl.gz"),
  "a format of columns": () => load("toy"),
  "rows in memory": async () => Dataset.fromRows(all, { features: FEATURES as Features }),
  "a batch in memory": async () => Dataset.fromBatch(batchOf(all, FEATURES), { features: FEATURES as Features }),
};

/** A view, and the same of an array. */
type Step = { readonly name: string; view(dataset: Dataset): Dataset; plain(rows: readonly Row[]): Row[] };

const count = fc.nat({ max: 300 });
const steps: fc.Arbitrary<Step> = fc.oneof(
  count.map((n) => ({
    name: `take ${n}`,
    view: (d: Dataset) => d.take(n),
    plain: (r: readonly Row[]) => r.slice(0, n),
  })),
  count.map((n) => ({ name: `skip ${n}`, view: (d: Dataset) => d.skip(n), plain: (r: readonly Row[]) => r.slice(n) })),
  fc
    .record({ n: fc.integer({ min: 1, max: 7 }), i: fc.nat(6), contiguous: fc.boolean() })
    .map(({ n, i, contiguous }) => ({
      name: `shard ${i % n} of ${n} ${contiguous}`,
      view: (d: Dataset) => d.shard(i % n, n, { contiguous }),
      plain: (r: readonly Row[]) => {
        const parts = Array.from({ length: n }, (_, part) => Math.floor(r.length / n) + (part < r.length % n ? 1 : 0));
        const start = parts.slice(0, i % n).reduce((a, b) => a + b, 0);
        return contiguous ? r.slice(start, start + parts[i % n]!) : r.filter((_, at) => at % n === i % n);
      },
    })),
);

describe.each(Object.entries(kinds))("%s", (_, open) => {
  test("length, features, every row by its number", async () => {
    await using dataset = await open();
    expect(await dataset.length()).toBe(TOTAL);
    expect(await dataset.features()).toEqual(FEATURES);
    for (const index of [0, 1, 129, 130, 131, 500, 899, 42, TOTAL - 1])
      expect(await dataset.at(index)).toEqual(all[index]);
    expect(await dataset.at(-1)).toEqual(all.at(-1));
    expect(await Promise.all(all.map((_, i) => dataset.at(i)))).toEqual(all);
  });

  test("rows from any to any, batches of any size", async () => {
    await using dataset = await open();
    expect(await collect(dataset)).toEqual(all);
    for (const [from, to] of [
      [0, 5],
      [129, 131],
      [131, 900],
      [300, 301],
      [7, 7],
      [9, 3],
      [TOTAL - 1, TOTAL + 9],
      [TOTAL + 1, TOTAL + 5],
    ] as const)
      expect(await collect(dataset.rows({ from, to }))).toEqual(all.slice(from, to));
    for (const size of [1, 64, 70, 900, 10_000]) {
      const batches = await collect(dataset.batches(size));
      expect(batches.map(({ length }) => length)).toEqual(
        Array.from({ length: Math.ceil(TOTAL / size) }, (_, i) => Math.min(size, TOTAL - i * size)),
      );
      expect(batches.flatMap(rowsOf)).toEqual(all);
    }
  });

  test("any view of views equals the same on an array", async () => {
    await using dataset = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 4 }), count, count, async (chain, from, to) => {
        const view = chain.reduce((one, { view }) => view(one), dataset);
        const plain = chain.reduce<readonly Row[]>((rows, { plain }) => plain(rows), all);
        expect(await view.length()).toBe(plain.length);
        expect(await collect(view.rows({ from, to }))).toEqual(plain.slice(from, to));
        expect((await collect(view.batches(97))).flatMap(rowsOf)).toEqual(plain);
        if (plain.length > 0) expect(await view.at(plain.length >> 1)).toEqual(plain[plain.length >> 1]);
      }),
      { numRuns: 40 },
    );
  });

  test("select: in the order of the indices, also twice", async () => {
    await using dataset = await open();
    const indices = [5, 3, 3, 899, 0, 130, 129];
    const view = dataset.select(indices);
    expect(await collect(view)).toEqual(indices.map((i) => all[i]));
    expect((await collect(view.batches(4))).flatMap(rowsOf)).toEqual(indices.map((i) => all[i]));
    expect(await collect(view.select([6, 0]))).toEqual([all[129], all[5]]);
    expect(await collect(dataset.select([]))).toEqual([]);
  });

  test("shuffle: all rows once, in the same order every time and everywhere", async () => {
    await using dataset = await open();
    const view = dataset.shuffle(7);
    const ids = (await collect(view)).map(({ id }) => id as number);
    expect([...ids].sort((a, b) => a - b)).toEqual(all.map(({ id }) => id));
    expect(ids.slice(0, 6)).toEqual([ids[0], (await view.at(1)).id, (await view.at(2)).id, ...ids.slice(3, 6)]);
    expect((await collect(dataset.shuffle("7").take(50))).map(({ id }) => id)).toEqual(ids.slice(0, 50));
    expect(ids.slice(0, 6)).toMatchInlineSnapshot(`
      [
        809,
        433,
        273,
        279,
        659,
        641,
      ]
    `);
    expect((await collect(dataset.skip(100).take(10).shuffle(1))).map(({ id }) => id).sort()).toEqual(
      all.slice(100, 110).map(({ id }) => id),
    );
  });

  test("columns: only they, in their order; an unknown one is named with the nearest", async () => {
    await using dataset = await open();
    const view = dataset.columns(["text", "id"]);
    const plain = all.map(({ text, id }) => ({ text, id }));
    expect(Object.keys(await view.features())).toEqual(["text", "id"]);
    expect(await collect(view)).toEqual(plain);
    expect(Object.keys((await view.at(3)) as Row)).toEqual(["text", "id"]);
    expect((await collect(view.shuffle(1).batches(100))).flatMap(rowsOf)).toHaveLength(TOTAL);
    expect((await collect(view.batches(1000))).map(({ columns }) => Object.keys(columns))).toEqual([["text", "id"]]);
    await expect(dataset.columns(["txt"]).at(0)).rejects.toMatchObject({
      code: "features",
      message: /no column "txt"\. Did you mean "text"/,
    });
    await expect(collect(dataset.columns(["txt"]).batches(5))).rejects.toMatchObject({ code: "features" });
    expect(() => view.columns(["ids"])).toThrow(/no column "ids"/);
  });

  test("what is out of range is refused", async () => {
    await using dataset = await open();
    for (const index of [TOTAL, -TOTAL - 1, 1.5, Number.NaN])
      await expect(dataset.at(index)).rejects.toMatchObject({
        code: "bad-value",
        message: expect.stringContaining(`no row ${index}: its rows are 0 to ${TOTAL - 1}`),
      });
    await expect(collect(dataset.select([0, TOTAL]))).rejects.toThrow(`no row ${TOTAL}`);
    await expect(dataset.take(0).at(0)).rejects.toThrow("it has no rows");
    await expect(collect(dataset.batches(0))).rejects.toThrow("at least 1");
    expect(() => dataset.shard(3, 3)).toThrow("there is no shard 3 of 3");
    expect(() => dataset.take(-1)).toThrow("at least 0");
  });
});

describe("loading", () => {
  test("a split that there is not is named with the nearest", async () => {
    const dir = await writeShards("jsonl", [3]);
    await expect(loadDataset(dir, { split: "trian" })).rejects.toMatchObject({
      code: "source",
      message: /Did you mean "train"/,
    });
    expect(() => new DatasetDict([["train", 1]]).split("trian")).toThrow(/Did you mean "train"/);
  });

  test("columns are checked before anything is read", async () => {
    const dir = await writeShards("jsonl", [3]);
    await expect(loadDataset(dir, { columns: ["idd"] })).rejects.toThrow(/no column "idd".*"id"/);
    const dataset = await loadDataset(dir, { split: "train", columns: ["id"] });
    expect(await collect(dataset)).toEqual([{ id: 0 }, { id: 1 }, { id: 2 }]);
  });

  test("features that are given convert text, and a row that does not fit is named", async () => {
    const path = join(createDirectory(), "a.jsonl");
    writeFileSync(path, '{"t":"2024-01-02","x":1,"more":true}\n\n{"t":null,"x":2}\n{"t":null,"x":"a"}\n');
    const given = features({ t: Nullable("date32"), x: "int8" });
    const dataset = await loadDataset(path, { split: "train", features: given });
    expect(await collect(dataset.rows({ to: 0 }))).toEqual([]);
    await expect(collect(dataset)).rejects.toMatchObject({
      code: "features",
      where: `${path}:4`,
      message: /column x: "a" is not int8/,
    });
    writeFileSync(path, '{"t":"2024-01-02","x":1,"more":true}\n\n{"t":null,"x":2}\n');
    const good = await loadDataset(path, { split: "train", features: given });
    expect(await collect(good)).toEqual([
      { t: new Date("2024-01-02"), x: 1 },
      { t: null, x: 2 },
    ]);
    expect(await good.at(1)).toEqual({ t: null, x: 2 });
    expectTypeOf(await good.at(0)).toEqualTypeOf<{ readonly t: Date | null; readonly x: number }>();
    expectTypeOf(await good.columns(["x"]).at(0)).toEqualTypeOf<{ readonly x: number }>();
  });

  test("a file that changed after it was counted is an error, not other rows", async () => {
    const path = join(createDirectory(), "a.jsonl");
    writeFileSync(path, '{"a":1}\n{"a":2}\n{"a":3}\n');
    await using dataset = await loadDataset(path, { split: "train" });
    expect(await dataset.length()).toBe(3);
    writeFileSync(path, '{"a":1}\n{"a":2222}  \n\n');
    await expect(dataset.at(1)).rejects.toMatchObject({ code: "bad-data", where: path });
  });

  test("rows in memory: features are found where none are given, and refused rows named", async () => {
    const dataset = Dataset.fromRows([{ a: 1 }, { a: null, b: "x" }]);
    expect(await dataset.features()).toEqual(features({ a: Nullable("int64"), b: Nullable("string") }));
    expect((await collect(dataset.batches(5)))[0]!.columns).toEqual({ a: [1, null], b: [null, "x"] });
    expect(() => Dataset.fromRows([{ a: "x" }], { features: features({ a: "int8" }) })).toThrow(
      'column a: "x" is not int8',
    );
  });

  test("a row that is changed does not change the dataset of files", async () => {
    const dataset = await loadDataset(await writeShards("jsonl", [3]), { split: "train" });
    (await dataset.at(1)).id = 77;
    expect((await dataset.at(1)).id).toBe(1);
  });
});

describe("files with different columns", () => {
  const rows: Row[] = [
    { x: 1, y: null },
    { x: 2, y: null },
    { x: null, y: "a" },
    { x: 3, y: "b" },
  ];
  const files: readonly Row[][] = [[{ x: 1 }, { x: 2 }], [{ y: "a" }], [{ y: "b", x: 3 }]];

  test.each(["parquet", "arrow", "csv"])(
    "%s: a column that a file lacks is null, in rows as in batches",
    async (format) => {
      const dir = createDirectory();
      for (const [i, some] of files.entries()) await writeRows(join(dir, `${i}.${format}`), some);
      await using dataset = (await loadDataset(dir)) as unknown as Dataset;
      expect(await collect(dataset)).toEqual(rows);
      expect((await collect(dataset.batches(3))).flatMap(rowsOf)).toEqual(rows);
      expect([await dataset.at(0), await dataset.at(2), await dataset.at(-1)]).toEqual([rows[0], rows[2], rows[3]]);
      expect(await collect(dataset.select([2, 0]))).toEqual([rows[2], rows[0]]);
      expect(await collect(dataset.columns(["y"]))).toEqual(rows.map(({ y }) => ({ y })));
    },
  );

  test("rows of JSON lines are as in their file", async () => {
    const dir = createDirectory();
    for (const [i, some] of files.entries()) await writeRows(join(dir, `${i}.jsonl`), some);
    await using dataset = (await loadDataset(dir)) as unknown as Dataset;
    expect(await collect(dataset)).toEqual(files.flat());
  });
});

describe("arguments that make no sense", () => {
  const dataset = Dataset.fromRows(rowsUpTo(3));
  const any = dataset as unknown as Record<string, (...args: unknown[]) => Promise<unknown> & Dataset>;
  const reads = async (view: () => unknown): Promise<unknown> => await (view() as Dataset).at(0);

  test.each([
    ["at 3", () => any.at!(3), /has no row 3: its rows are 0 to 2, or -3 to -1 from the end/],
    ["at -4", () => any.at!(-4), /has no row -4: its rows are 0 to 2, or -3 to -1 from the end/],
    ["at a half", () => any.at!(1.5), /has no row 1\.5/],
    ["at a text", () => any.at!("1"), /has no row "1"/],
    ["select of a number", () => reads(() => any.select!(5)), /the indices must be a list of numbers, not 5/],
    ["select of a text", () => reads(() => any.select!("01")), /the indices must be a list of numbers, not "01"/],
    ["select of texts", () => reads(() => any.select!(["0"])), /has no row "0": an index is a number/],
    ["select from the end", () => reads(() => any.select!([0, -1])), /has no row -1: its rows are 0 to 2/],
    ["shard without a number", () => reads(() => any.shard!(0)), /the number of shards must be .* not undefined/],
    ["shard behind the last", () => reads(() => any.shard!(2, 2)), /there is no shard 2 of 2/],
    ["shuffle by nothing", () => reads(() => any.shuffle!()), /the seed must be a string or a number, not undefined/],
    ["shuffle by an object", () => reads(() => any.shuffle!({ seed: 1 })), /the seed must be .*, not an object/],
    ["shuffle by NaN", () => reads(() => any.shuffle!(Number.NaN)), /the seed must be .*, not NaN/],
    ["rows to NaN", () => collect(dataset.rows({ to: Number.NaN })), /to must be an integer of at least 0, not NaN/],
    ["rows from the end", () => collect(dataset.rows({ from: -1 })), /from must be an integer/],
  ])("%s", async (_, call, says) => {
    await expect((async () => await call())()).rejects.toMatchObject({
      code: "bad-value",
      message: expect.stringMatching(says),
    });
  });
});
