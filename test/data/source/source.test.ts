import { rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { loadDataset } from "../../../src/data/loader/load-dataset.js";
import { headRows } from "../../../src/data/source/look.js";
import { openSource, Source, type SourceShard } from "../../../src/data/source/source.js";
import { serve } from "../stores/web-server.js";
import { createTree } from "../tree.js";

const names = async (...specs: string[]): Promise<string[]> => (await openSource(specs)).shards.map(({ name }) => name);
const line = (id: string): string => `${JSON.stringify({ id })}\n`;

describe("names of shards", () => {
  let at: string;
  const files = {
    "x/data.jsonl": line("x0") + line("x1"),
    "y/data.jsonl": line("y0") + line("y1"),
    "x/other.jsonl": line("o"),
    "deep/1/in/a.jsonl": line("a"),
    "deep/2/in/a.jsonl": line("b"),
    "deep/2/in/sub/c.jsonl": line("c"),
  };
  beforeEach(() => {
    at = createTree(files);
  });

  test("of one spec are relative to it, as are those of several that differ", async () => {
    expect(await names(`${at}/deep`)).toEqual(["1/in/a.jsonl", "2/in/a.jsonl", "2/in/sub/c.jsonl"]);
    expect(await names(`${at}/*/data.jsonl`)).toEqual(["x/data.jsonl", "y/data.jsonl"]);
    expect(await names(`${at}/x/data.jsonl`, `${at}/x/other.jsonl`)).toEqual(["data.jsonl", "other.jsonl"]);
  });

  test("that would be the same have as many folders as tell them apart", async () => {
    expect(await names(`${at}/x/data.jsonl`, `${at}/y/data.jsonl`)).toEqual(["x/data.jsonl", "y/data.jsonl"]);
    expect(await names(`${at}/x`, `${at}/y`)).toEqual(["x/data.jsonl", "x/other.jsonl", "y/data.jsonl"]);
    expect(await names(`${at}/deep/1/in`, `${at}/deep/2/in`)).toEqual([
      "1/in/a.jsonl",
      "2/in/a.jsonl",
      "2/in/sub/c.jsonl",
    ]);
    const here = relative(process.cwd(), `${at}/x/data.jsonl`);
    expect(await names(here, `${at}/y/data.jsonl`)).toEqual(["x/data.jsonl", "y/data.jsonl"]);
  });

  test("of files behind URLs as well", async () => {
    await using server = await serve((_, reply) => reply.end(line("u")));
    const { host } = new URL(server.url);
    expect(await names(`${server.url}/p/data.jsonl?v=1`, `${at}/x/data.jsonl`)).toEqual([
      "p/data.jsonl",
      "x/data.jsonl",
    ]);
    expect(await names(`${server.url}/data.jsonl`, `${server.url}/q/data.jsonl`)).toEqual([
      `${host}/data.jsonl`,
      "q/data.jsonl",
    ]);
    await expect(names(`${server.url}/data.jsonl?v=1`, `${server.url}/data.jsonl?v=2`)).rejects.toMatchObject({
      code: "source",
      message: expect.stringMatching(/two files of the name .*data\.jsonl\?v=1, .*data\.jsonl\?v=2/),
    });
  });

  test("rows are those of their own file", async () => {
    await using dataset = await loadDataset([`${at}/x/data.jsonl`, `${at}/y/data.jsonl`], { split: "train" });
    const rows = await Promise.all([0, 1, 2, 3].map((i) => dataset.at(i)));
    expect(rows.map(({ id }) => id)).toEqual(["x0", "x1", "y0", "y1"]);
  });

  test("a file that is named twice is an error that names both words", async () => {
    await expect(names(`${at}/x`, `${at}/x/../x/data.jsonl`)).rejects.toMatchObject({
      code: "source",
      message: expect.stringMatching(/data\.jsonl is named twice, by .*\/x and by .*\/x\/\.\.\/x\/data\.jsonl/),
    });
  });

  test("a file of two splits has a name in each; one split alone has the plain name", async () => {
    const two = createTree({
      "README.md":
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - {split: train, path: a.jsonl}\n  - {split: test, path: a.jsonl}\n---\n",
      "a.jsonl": line("a"),
    });
    expect(await names(two)).toEqual(["a.jsonl", "test:a.jsonl"]);
    const test = await openSource(two, { split: "test" });
    expect(test.shards.map(({ name, split }) => [name, split])).toEqual([["a.jsonl", "test"]]);
    await expect(openSource(two, { split: "tset" })).rejects.toThrow(/has no split "tset"\. Did you mean "test"\?/);
  });

  test("a source refuses two shards of one name", () => {
    const shard = (path: string): SourceShard => ({
      name: "a",
      path,
      size: 1,
      version: undefined,
      split: "train",
      format: "jsonl",
      packing: "none",
    });
    expect(() => new Source("s", [shard("/x/a"), shard("/y/a")])).toThrow(
      /s has two files of the name a: \/x\/a, \/y\/a/,
    );
  });
});

describe("splits", () => {
  const shards = (count: number): SourceShard[] =>
    Array.from({ length: count }, (_, i) => ({
      name: `${i}.jsonl`,
      path: `/d/${i}.jsonl`,
      size: 1,
      version: undefined,
      split: i % 2 ? "test" : "train",
      format: "jsonl",
      packing: "none" as const,
    }));

  test("are found once, in time that grows with the shards", () => {
    const source = new Source("s", shards(200_000));
    expect(source.splits).toBe(source.splits);
    expect([...source.splits].map(([split, all]) => [split, all.length])).toEqual([
      ["train", 100_000],
      ["test", 100_000],
    ]);
  }, 3000);
});

describe("features", () => {
  const files = { "train/a.csv": "x\n1\n", "test/b.csv": "x\n2\n" };

  test("that could not be found are looked for again", async () => {
    const at = createTree(files);
    const source = await openSource(at);
    rmSync(join(at, "train/a.csv"));
    await expect(source.features()).rejects.toMatchObject({ code: "source" });
    writeFileSync(join(at, "train/a.csv"), files["train/a.csv"]);
    expect(Object.keys(await source.features())).toEqual(["x"]);
    expect(await headRows(source, 2)).toEqual([{ x: 1 }, { x: 2 }]);
  });

  test("that were found are those of a split, too", async () => {
    const at = createTree(files);
    const source = await openSource(at);
    const found = await source.features();
    rmSync(join(at, "test/b.csv"));
    expect(await source.only("test").features()).toBe(found);
  });
});
