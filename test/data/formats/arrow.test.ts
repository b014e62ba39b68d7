import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { asGolden, fixture, golden, openFixture, rowsIn, typesOf } from "./golden.js";

type Plain = Record<string, unknown>;

/** The rows of further files, as make.py says. */
const goldenRows = JSON.parse(readFileSync(fixture("arrow.json"), "utf8")) as Record<string, Plain[]>;

async function plainRows(name: string, request = {}): Promise<Plain[]> {
  await using shard = await openFixture(name, "arrow");
  const features = shard.reader.features!;
  return (await rowsIn(shard, request)).map((row) =>
    Object.fromEntries(Object.entries(row).map(([column, value]) => [column, asGolden(value, features[column]!)])),
  );
}

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

  test.each(Object.keys(goldenRows))("%s: rows are those of Python", async (name) => {
    const rows = goldenRows[name]!;
    expect(await plainRows(name)).toEqual(rows);
    expect(await plainRows(name, { batchRows: 1 })).toEqual(rows);
    // A column alone, and rows from their middle on: as they are in the whole.
    for (const column of Object.keys(rows[0] ?? {}))
      expect(await plainRows(name, { columns: [column], from: 1 }), column).toEqual(
        rows.slice(1).map((row) => ({ [column]: row[column] })),
      );
  });

  test("dictionaries that are replaced are read right in any order, with an open reader", async () => {
    for (const name of ["dictionary-replaced", "dictionary-delta", "dictionary-nested"]) {
      await using shard = await openFixture(`${name}.arrow`, "arrow");
      const features = shard.reader.features!;
      const rows = goldenRows[`${name}.arrow`]!;
      for (const from of [4, 0, 3, 5, 1, 4, 2]) {
        const [row] = await rowsIn(shard, { from, to: from + 1 });
        for (const [column, value] of Object.entries(rows[from]!))
          expect(asGolden(row![column], features[column]!), `${name} ${from} ${column}`).toEqual(value);
      }
    }
  });

  test("numbers of a dictionary are a typed array, as others are", async () => {
    await using shard = await openFixture("dictionary-delta.arrow", "arrow");
    for await (const { columns } of shard.batches()) expect(columns.f).toBeInstanceOf(Float32Array);
  });

  test("extension types are read as what they are stored as, JSON as JSON", async () => {
    await using shard = await openFixture("extensions.arrow", "arrow");
    expect(typesOf(shard.reader.features!)).toEqual({
      uuid: "binary",
      json: "json",
      bool8: "int8",
      tensor: "list<int32>[4]",
    });
    const [row] = await rowsIn(shard);
    expect(row).toEqual({
      uuid: Buffer.from("0123456789abcdef"),
      json: { a: [1] },
      bool8: 1,
      tensor: Int32Array.of(1, 2, 3, 4),
    });
  });

  const unsupported = ["run_end_encoded", "list_view", "large_list_view", "sparse_union", "dense_union"];
  test.each([...unsupported, "month_day_nano_interval"])("the type %s is refused by column and name", async (type) => {
    const what = `not-${type}.arrow cannot be read as arrow: column s.odd has the type ${type}, which is not supported`;
    await expect(openFixture(`not-${type}.arrow`, "arrow")).rejects.toThrow(what);
  });
});
