import { describe, expect, expectTypeOf, test } from "vitest";
import { rowsOf } from "../../../src/data/batch/batch.js";
import type { Features } from "../../../src/data/features/feature.js";
import { Dataset } from "../../../src/data/loader/dataset.js";
import { DatasetDict, loadDataset } from "../../../src/data/loader/load-dataset.js";
import { StreamingDataset } from "../../../src/data/loader/streaming-dataset.js";
import { collect, FEATURES, type Kind, rowsUpTo, TOY, writeShards } from "./files.js";

const COUNTS = [40, 0, 300, 1, 59];
const all = rowsUpTo(400);

const load = async (kind: Kind): Promise<StreamingDataset> =>
  (await loadDataset(await writeShards(kind, COUNTS), {
    split: "train",
    streaming: true,
    features: FEATURES,
    ...(kind === "toy" ? { format: TOY } : {}),
  })) as unknown as StreamingDataset<Features>;

const idsOf = async (dataset: StreamingDataset): Promise<number[]> => (await collect(dataset)).map(({ id }) => id);

describe.each<Kind>(["jsonl", "jsonl.gz", "toy"])("%s", (kind) => {
  test("all rows, as often as it is iterated; in batches of any size", async () => {
    const dataset = await load(kind);
    for (const _ of [1, 2]) expect(await collect(dataset)).toEqual(all);
    expect(await dataset.features()).toEqual(FEATURES);
    for (const size of [1, 33, 1000]) {
      const batches = await collect(dataset.batches(size));
      expect(batches.flatMap(rowsOf)).toEqual(all);
      expect(batches.slice(0, -1).every(({ length }) => length === size)).toBe(true);
    }
  });

  test("take, skip and columns, in the order they are said", async () => {
    const dataset = await load(kind);
    expect(await collect(dataset.skip(35).take(10))).toEqual(all.slice(35, 45));
    expect(await collect(dataset.take(45).skip(35))).toEqual(all.slice(35, 45));
    expect(await collect(dataset.take(0))).toEqual([]);
    expect(await collect(dataset.skip(1000))).toEqual([]);
    const two = dataset.columns(["text", "id"]).skip(398);
    expect(await collect(two)).toEqual(all.slice(398).map(({ text, id }) => ({ text, id })));
    expect((await collect(two.batches(5))).flatMap(rowsOf)).toEqual(await collect(two));
    await expect(collect(dataset.columns(["txt"]))).rejects.toThrow('Did you mean "text"?');
  });

  test("shuffle: each row once, the same for the same seed", async () => {
    const dataset = await load(kind);
    for (const buffer of [1, 10, 1000]) {
      const ids = await idsOf(dataset.shuffle(3, { buffer }));
      expect(ids).toEqual(await idsOf(dataset.shuffle(3, { buffer })));
      expect(ids).not.toEqual(await idsOf(dataset.shuffle(4, { buffer })));
      expect([...ids].sort((a, b) => a - b)).toEqual(all.map(({ id }) => id));
    }
    const first = await idsOf(dataset.take(20).shuffle(3));
    expect(first.sort((a, b) => a - b)).toEqual(all.slice(0, 20).map(({ id }) => id));
  });

  test("shard: each file in one of them", async () => {
    const dataset = await load(kind);
    const parts = await Promise.all([0, 1, 2].map((i) => idsOf(dataset.shard(i, 3))));
    expect(parts.flat().sort((a, b) => a - b)).toEqual(all.map(({ id }) => id));
    expect(parts[0]).toEqual(all.filter(({ id }) => id < 40 || id === 340).map(({ id }) => id));
    expect(() => dataset.shard(0, 6)).toThrow("5 files cannot be divided among 6");
    expect(() => dataset.take(5).shard(0, 2)).toThrow("shard() comes before");
  });

  test("files are closed when the reading ends early, and a file is opened when its rows are due", async () => {
    const dataset = await load(kind);
    for await (const row of dataset) if (row.id === 41) break;
    expect((await collect(dataset.take(1)))[0]).toEqual(all[0]);
  });
});

test("without a split it may be of several, which the types say", async () => {
  const dataset = await loadDataset(await writeShards("jsonl", [2]));
  expectTypeOf(dataset).toEqualTypeOf<Dataset | DatasetDict<Dataset>>();
  expect(dataset).toBeInstanceOf(Dataset);
  expect(dataset).not.toBeInstanceOf(DatasetDict);
  const stream = await loadDataset(await writeShards("jsonl", [2]), { streaming: true, columns: ["id"] });
  expect(stream instanceof StreamingDataset && (await collect(stream))).toEqual([{ id: 0 }, { id: 1 }]);
});
