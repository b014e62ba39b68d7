import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { batchOf, type Row } from "../../../src/data/batch/batch.js";
import { createRowCheck } from "../../../src/data/features/check.js";
import { ClassLabel, type Features, features, Nullable, Value } from "../../../src/data/features/feature.js";
import { FeatureInference } from "../../../src/data/features/infer.js";
import { unifyFeatures } from "../../../src/data/features/unify.js";
import { loadFormat } from "../../../src/data/formats/registry.js";
import { openSource } from "../../../src/data/source/source.js";
import { openWriter, writeRows } from "../../../src/data/writer/open-writer.js";
import { createDirectory } from "../tree.js";

describe("columns that are named as what every object has", () => {
  const all = features({ constructor: Nullable("int64"), s: Nullable({ toString: Nullable("string") }) });

  test("are null where a row lacks them", () => {
    expect(createRowCheck(all)({ s: {} })).toEqual({ constructor: null, s: { toString: null } });
    expect(batchOf([{}], all).columns.constructor).toEqual([null]);
    expect(() => createRowCheck(features({ valueOf: "int8" }))({})).toThrow("column valueOf: null");
  });

  test("are inferred and united", () => {
    const inference = new FeatureInference();
    for (const row of [{ constructor: 1 }, { a: 1 }, { toString: "x" }] as Row[]) inference.add(row, () => "");
    expect(Object.keys(inference.features!)).toEqual(["constructor", "a", "toString"]);
    expect(unifyFeatures(features({ a: "int8" }), features({ toString: "int8" }))).toEqual({
      a: Nullable("int8"),
      toString: Nullable("int8"),
    });
  });

  test.each(["parquet", "arrow", "csv", "jsonl"])("are written to %s and read", async (format) => {
    const path = join(createDirectory(), `a.${format}`);
    const flat = features({ constructor: Nullable("int64"), hasOwnProperty: ClassLabel(["a", "b"]), x: "int8" });
    await writeRows(path, [{ constructor: 1, hasOwnProperty: "b", x: 1 } as Row, { hasOwnProperty: 0, x: 2 } as Row], {
      features: flat,
    });
    const source = await openSource(path, { features: flat });
    const rows: Row[] = [];
    for await (const row of source.rows()) rows.push(createRowCheck(flat)(row));
    expect(rows).toEqual([
      { constructor: 1, hasOwnProperty: 1, x: 1 },
      { constructor: null, hasOwnProperty: 0, x: 2 },
    ]);
    await using shard = await source.open(source.shards[0]!);
    const batches = [];
    for await (const { columns } of shard.batches({ columns: ["constructor"] }, flat)) batches.push(columns);
    expect(batches.flatMap((columns) => Array.from(columns.constructor as unknown as unknown[]))).toEqual([1, null]);
  });
});

describe("__proto__ as a name", () => {
  const named = (name: string): Features => Object.fromEntries([[name, Value("int32")]]);

  test.each(["parquet", "arrow"])("is refused in %s, at any depth", async (name) => {
    const format = await loadFormat(name);
    for (const all of [named("__proto__"), { x: named("__proto__") }]) {
      const path = join(createDirectory(), `a.${name}`);
      await using writer = await format.create({ path, features: all, compression: "none", options: {} });
      await writer.finish();
      const open = async () => (await openSource(path)).features();
      await expect(open()).rejects.toMatchObject({
        code: "bad-data",
        message: expect.stringMatching(/a\.\w+.*no column can be named "__proto__"/),
      });
    }
  });

  test("is refused in rows that are looked at for their types", () => {
    for (const text of ['{"__proto__":{"a":1}}', '{"x":[{"__proto__":1}]}'])
      expect(() => new FeatureInference().add(JSON.parse(text) as Row, () => "row 0")).toThrow("__proto__");
  });
});

describe("what a row is nested in", () => {
  const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;

  test.each([
    ["jsonl", `{"a":"\\u00e4"}\n${deep}\n{"b":1}\n`],
    ["jsonl", `{"a":1}\n${deep}\n{"b":1}\n`],
    ["json", `[{"a":"\\u00e4"},\n${deep},\n{"b":1}]`],
  ])("%s: a row of 20,000 levels is a bad row", async (format, text) => {
    const path = join(createDirectory(), `a.${format}`);
    writeFileSync(path, text);
    const source = await openSource(path);
    await using shard = await source.openWith(source.shards[0]!, undefined);
    const bad: unknown[] = [];
    const rows: Row[] = [];
    for await (const block of shard.rows({ onBadRow: (one) => bad.push(one) })) rows.push(...block.rows);
    expect(rows).toHaveLength(2);
    expect(bad).toMatchObject([{ position: 2, what: "nested deeper than 1000 levels" }]);
    await expect(collectAll(source)).rejects.toMatchObject({
      code: "bad-data",
      message: `${path}:2: nested deeper than 1000 levels`,
    });
  });

  test.each(["jsonl", "json", "parquet", "csv"])("a row that is written to %s", async (format) => {
    const row = JSON.parse(deep) as Row;
    await using writer = await openWriter(join(createDirectory(), `a.${format}`));
    await expect(
      (async () => {
        await writer.write([{ a: 1 }, row]);
        await writer.finish();
      })(),
    ).rejects.toThrow(/a\.\w+: .*(nested deeper than 1000 levels)/);
  });
});

async function collectAll(source: { rows(): AsyncIterable<Row> }): Promise<void> {
  for await (const _ of source.rows());
}
