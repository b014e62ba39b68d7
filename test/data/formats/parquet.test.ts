import { describe, expect, test } from "vitest";
import { asGolden, golden, openFixture, rowsIn, typesOf } from "./golden.js";

const files = ["none", "snappy", "gzip", "zstd", "lz4", "brotli"].flatMap((codec) => [
  `all-${codec}-v1.parquet`,
  `all-${codec}-v2.parquet`,
]);

describe("files of pyarrow", () => {
  test.each(files)("%s: every dtype has its value", async (name) => {
    await using shard = await openFixture(name, "parquet");
    const { features } = shard.reader;
    const rows = await rowsIn(shard);
    for (const [column, { values }] of Object.entries(golden))
      expect(
        rows.map((row) => asGolden(row[column], features![column]!)),
        column,
      ).toEqual(values);
  });

  test("the metadata of Arrow say more than the schema", async () => {
    await using shard = await openFixture("all-none-v1.parquet", "parquet");
    const types = typesOf(shard.reader.features!);
    expect(types).toMatchObject({
      int8: "int8",
      uint64: "uint64",
      float16: "float16",
      large_string: "large_string",
      date64: "date64",
      time32_s: "time32[s]",
      time64_ns: "time64[ns]",
      timestamp_s: "timestamp[s]",
      timestamp_us_tz: "timestamp[us, tz=Europe/Berlin]",
      duration_ns: "duration[ns]",
      decimal256: "decimal256(50, 1)",
      null: "null",
      dictionary: "string",
      large_list: "large_list<float32>",
      fixed_list: "list<int8>[2]",
      list_list: "list<list<int32>>",
      list_struct: "list<{q: string, n: list<int8>}>",
      map: "map<string, int32>",
    });
  });

  test("without them the schema is enough", async () => {
    await using shard = await openFixture("all-plain.parquet", "parquet");
    const { features } = shard.reader;
    const rows = await rowsIn(shard);
    for (const name of [
      "int8",
      "uint64",
      "string",
      "float16",
      "decimal256",
      "list_list",
      "struct",
      "list_struct",
      "map",
      "timestamp_ns",
    ])
      expect(
        rows.map((row) => asGolden(row[name], features![name]!)),
        name,
      ).toEqual(golden[name]!.values);
    expect(typesOf(features!)).toMatchObject({
      fixed_list: "list<int8>",
      timestamp_us_tz: "timestamp[us, tz=UTC]",
      duration_ns: "int64",
    });
  });
});
