import { describe, expect, test } from "vitest";
import { asGolden, golden, openFixture, rowsIn, typesOf } from "./golden.js";

const files = ["file", "stream"].flatMap((container) =>
  ["", "-lz4", "-zstd"].map((codec) => `all-${container}${codec}.arrow`),
);

describe("files of pyarrow", () => {
  test.each(files)("%s: every dtype has its value", async (name) => {
    await using shard = await openFixture(name, "arrow");
    const { features } = shard.reader;
    const rows = await rowsIn(shard);
    for (const [column, { values }] of Object.entries(golden))
      expect(
        rows.map((row) => asGolden(row[column], features![column]!)),
        column,
      ).toEqual(values);
  });

  test("the types are those of the schema", async () => {
    await using shard = await openFixture("all-file.arrow", "arrow");
    expect(typesOf(shard.reader.features!)).toMatchObject({
      uint64: "uint64",
      large_string: "large_string",
      date64: "date64",
      timestamp_us_tz: "timestamp[us, tz=Europe/Berlin]",
      duration_ns: "duration[ns]",
      decimal256: "decimal256(50, 1)",
      dictionary: "string",
      large_list: "large_list<float32>",
      fixed_list: "list<int8>[2]",
      list_struct: "list<{q: string, n: list<int8>}>",
      map: "map<string, int32>",
    });
    expect(shard.reader.rowCount).toBe(4);
    expect(await shard.slices({ bytes: 1 })).toMatchObject([
      { from: 0, to: 3 },
      { from: 3, to: 4 },
    ]);
  });

  test("a stream of datasets has its labels and JSON", async () => {
    await using shard = await openFixture("hf.arrow", "arrow");
    expect(typesOf(shard.reader.features!)).toMatchObject({
      l: "label(x, y)",
      j: "json",
      f: "list<float32>[2]",
      ll: "large_list<int8>",
    });
    expect(await rowsIn(shard)).toMatchObject([
      { a: 1, l: 0, j: { any: [1, "x"] } },
      { a: null, l: 1, j: null },
    ]);
  });
});
