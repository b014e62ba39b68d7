import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { batchOf, type Row } from "../../../src/data/batch/batch.js";
import { features, Nullable } from "../../../src/data/features/feature.js";
import { loadDataset } from "../../../src/data/loader/load-dataset.js";
import { openWriter, writeRows } from "../../../src/data/writer/open-writer.js";
import { collect, rowsUpTo, TOY } from "../loader/files.js";
import { createDirectory } from "../tree.js";

const read = async (path: string, format?: string): Promise<unknown[]> =>
  await collect(await loadDataset(path, { split: "train", format }));

describe("the file", () => {
  test("a struct without fields is refused in parquet, with its column", async () => {
    const path = join(createDirectory(), "a.parquet");
    await expect(writeRows(path, [{ id: 1, meta: [{ info: {} }] }])).rejects.toMatchObject({
      code: "features",
      message: "column meta[].info is a struct without fields, which parquet cannot have",
      hint: expect.stringContaining("Json()"),
    });
    expect(existsSync(path)).toBe(false);
  });

  test("appears as a whole with finish(), and nothing else is left", async () => {
    const dir = createDirectory();
    const path = join(dir, "a.jsonl");
    await using writer = await openWriter(path);
    await writer.write({ a: 1 });
    await writer.write([{ a: 2 }, { a: 3n ** 50n }]);
    expect(writer.rows).toBe(3);
    expect(existsSync(path)).toBe(false);
    const { rows, bytes, sha256, path: written } = await writer.finish();
    expect(readdirSync(dir)).toEqual(["a.jsonl"]);
    const content = readFileSync(path);
    expect(content.toString()).toBe(`{"a":1}\n{"a":2}\n{"a":${3n ** 50n}}\n`);
    expect({ rows, bytes, sha256, written }).toEqual({
      rows: 3,
      bytes: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
      written: path,
    });
    await expect(writer.write({ a: 4 })).rejects.toThrow("written already");
  });

  test("leaves nothing when disposed without finish()", async () => {
    const dir = createDirectory();
    {
      await using writer = await openWriter(join(dir, "a.jsonl.gz"));
      await writer.write(rowsUpTo(10));
      expect(readdirSync(dir)).toHaveLength(1);
    }
    expect(readdirSync(dir)).toEqual([]);
  });

  test("is packed by its name", async () => {
    const path = join(createDirectory(), "a.jsonl.gz");
    await writeRows(path, [{ a: 1 }]);
    expect(gunzipSync(readFileSync(path)).toString()).toBe('{"a":1}\n');
  });

  test("that is there already is kept, until overwrite is said", async () => {
    const dir = createDirectory();
    const path = join(dir, "a.jsonl");
    writeFileSync(path, "old");
    await expect(openWriter(path)).rejects.toMatchObject({ code: "bad-value", message: `${path} is there already` });
    {
      await using writer = await openWriter(path, { overwrite: true });
      await writer.write({ a: 1 });
    }
    expect(readFileSync(path, "utf8")).toBe("old");
    await writeRows(path, [{ a: 1 }], { overwrite: true });
    expect(readFileSync(path, "utf8")).toBe('{"a":1}\n');
  });

  test("that someone else writes in the meantime is kept too", async () => {
    const dir = createDirectory();
    const path = join(dir, "a.jsonl");
    await using writer = await openWriter(path);
    writeFileSync(path, "theirs");
    await expect(writer.finish()).rejects.toMatchObject({ code: "bad-value" });
    expect(readdirSync(dir)).toEqual(["a.jsonl"]);
    expect(readFileSync(path, "utf8")).toBe("theirs");
  });

  test("mistakes name what would do", async () => {
    const dir = createDirectory();
    const cases = [
      [join(dir, "a.xyz"), {}, /a\.xyz does not say which format/],
      [join(dir, "a"), { format: "jsnl" }, /no format "jsnl"\. Did you mean "jsonl"/],
      [join(dir, "a.jsonl"), { compression: "gzip" }, /compression "gzip" does not fit the name a\.jsonl/],
      [join(dir, "a.toy.gz"), { format: TOY }, /is not packed as a whole/],
      [join(dir, "a.toy"), { format: TOY, compression: "zstd" }, /has no compression "zstd"/],
      [join(dir, "a.jsonl"), { options: { delimiter: ";" } }, /no option "delimiter"/],
      [join(dir, "no", "a.jsonl"), {}, /there is no folder/],
      [dir, { format: "jsonl", overwrite: true }, /it is a directory/],
    ] as const;
    for (const [path, options, message] of cases) await expect(openWriter(path, options)).rejects.toThrow(message);
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe("rows", () => {
  const schema = features({ id: "int8", at: Nullable("date32") });

  test("are checked, converted, and numbered in messages; writing goes on behind a bad one", async () => {
    const path = join(createDirectory(), "a.jsonl");
    await using writer = await openWriter(path, { features: schema });
    await writer.write([{ id: 1, at: "2024-01-02" }]);
    await expect(writer.write([{ id: 2 }, { id: 300 }, { id: 3 }])).rejects.toMatchObject({
      code: "bad-row",
      message: `${path}: row 2 cannot be written: column id: 300 is out of the range of int8`,
    });
    await writer.write({ id: 4, at: new Date("2024-01-03T05:00Z") });
    expect(await writer.finish()).toMatchObject({ rows: 3 });
    expect(readFileSync(path, "utf8")).toBe(
      '{"id":1,"at":"2024-01-02"}\n{"id":2,"at":null}\n{"id":4,"at":"2024-01-03"}\n',
    );
  });

  test("that the format cannot hold are named too", async () => {
    const path = join(createDirectory(), "a.jsonl");
    await using writer = await openWriter(path);
    await expect(writer.write([{ a: 1 }, { a: Number.NaN }])).rejects.toMatchObject({
      code: "bad-row",
      message: expect.stringContaining("row 1 cannot be written: column a is NaN"),
    });
    await writer.write({ a: 2 });
    await writer.finish();
    expect(await read(path)).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test("that cannot be read are named, in every format", async () => {
    const failing = {
      get a(): number {
        throw new Error("getter");
      },
    };
    const circle: Row = { a: 1 };
    circle.circle = circle;
    for (const name of ["a.jsonl", "a.json", "a.csv", "a.parquet", "a.arrow"])
      for (const [row, says] of [
        [failing, /row 1 cannot be written: .*getter/],
        [circle, /nested deeper than 1000 levels/],
        [new Date(0), /a Date is not a row/],
        [{ a: Promise.resolve(1) }, /column a.* is (?:a Promise|.* and )/],
      ] as const) {
        const rows = [{ a: 1 }, row as Row];
        await expect(writeRows(join(createDirectory(), name), rows), `${name} ${says}`).rejects.toThrow(says);
      }
  });

  test("of text that is cut in a surrogate pair", async () => {
    const rows = [{ text: "a" }, { text: "x\ud83d" }];
    for (const name of ["a.txt", "a.csv", "a.tsv", "a.parquet", "a.arrow"])
      await expect(writeRows(join(createDirectory(), name), rows), name).rejects.toThrow(
        /row 1 cannot be written: column text.* a text with a lone surrogate, \\ud83d at index 1/,
      );
    const path = join(createDirectory(), "a.jsonl");
    await writeRows(path, rows);
    expect(readFileSync(path, "utf8")).toBe('{"text":"a"}\n{"text":"x\\ud83d"}\n');
    expect(await read(path)).toEqual(rows);
  });

  test("of numbers that would be rounded, or become Infinity", async () => {
    const integers = [{ x: 2n ** 53n + 1n }, { x: 1.5 }];
    await expect(writeRows(join(createDirectory(), "a.parquet"), integers)).rejects.toThrow(
      "row 0 cannot be written: column x: 9007199254740993 would be rounded as float64",
    );
    await expect(
      writeRows(join(createDirectory(), "a.parquet"), [{ x: 70_000 }], { features: features({ x: "float16" }) }),
    ).rejects.toThrow("70000 is out of the range of float16");
    const path = join(createDirectory(), "b.parquet");
    await writeRows(path, [
      { x: 1e300, n: 1 },
      { x: 1e20, n: 2n ** 63n },
    ]);
    expect(await (await loadDataset(path, { split: "train" })).features()).toEqual(
      features({ x: Nullable("float64"), n: Nullable("uint64") }),
    );
  });

  test.each([0, 3, 999, 1000, 1001, 2500])("a schema is inferred from the first 1000 rows, of %i", async (count) => {
    const path = join(createDirectory(), "a.toy");
    const rows: Row[] = Array.from({ length: count }, (_, id) => (id === 500 ? { id, x: 0.5 } : { id, x: null }));
    const written = await writeRows(path, count % 2 ? rows : asyncly(rows), { format: TOY });
    expect(written.rows).toBe(count);
    expect(await read(path, TOY)).toEqual(rows);
    const dataset = await loadDataset(path, { split: "train", format: TOY });
    if (count > 500)
      expect(await dataset.features()).toEqual(features({ id: Nullable("int64"), x: Nullable("float64") }));
  });

  test("that do not fit what was inferred say so", async () => {
    const path = join(createDirectory(), "a.toy");
    await using writer = await openWriter(path, { format: TOY });
    await writer.write(Array.from({ length: 1000 }, (_, id) => ({ id })));
    await expect(writer.write({ id: 1.5 })).rejects.toMatchObject({
      message: `${path}: row 1000 cannot be written: column id: 1.5 is not int64`,
      hint: expect.stringContaining("first 1000 rows"),
    });
    await expect(writer.write({ idd: 1 })).rejects.toThrow('no such column. Did you mean "id"?');
    await using mixed = await openWriter(join(createDirectory(), "b.toy"), { format: TOY });
    await mixed.write([{ a: 1 }]);
    await expect(mixed.write([{ a: "x" }])).rejects.toMatchObject({
      code: "features",
      message: expect.stringContaining("column a is int64 and string: first at row 0, then at row 1"),
    });
  });

  test("as columns", async () => {
    const path = join(createDirectory(), "a.jsonl");
    const rows = rowsUpTo(20).map(({ id, text }) => ({ id, text }));
    const given = features({ id: "int64", text: "string" });
    await using writer = await openWriter(path, { features: given });
    await writer.writeBatch(batchOf(rows, given));
    await expect(writer.writeBatch({ length: 1, columns: { id: ["x"], text: ["y"] } })).rejects.toThrow(
      '"x" is not int64',
    );
    await writer.finish();
    expect(await read(path)).toEqual(rows);
  });
});

async function* asyncly<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
