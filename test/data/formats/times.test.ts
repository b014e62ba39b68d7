import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Row } from "../../../src/data/batch/batch.js";
import { createRowCheck } from "../../../src/data/features/check.js";
import { features, List, MapOf, Nullable } from "../../../src/data/features/feature.js";
import { loadFormat } from "../../../src/data/formats/registry.js";
import { convertSource } from "../../../src/data/source/convert.js";
import { openSource } from "../../../src/data/source/source.js";
import { openWriter, writeRows } from "../../../src/data/writer/open-writer.js";
import { createDirectory } from "../tree.js";

const all = features({
  us: Nullable("timestamp[us]"),
  zone: Nullable("timestamp[ns, tz=Europe/Berlin]"),
  s: Nullable("timestamp[s]"),
  day: Nullable("date32"),
});
const rows: Row[] = [
  { us: new Date(5), zone: new Date(1500), s: new Date(2000), day: new Date("2026-11-30") },
  { us: 5001n, zone: -1n, s: new Date(-2000), day: new Date("1969-12-31") },
  { us: null, zone: null, s: null, day: null },
];
const lines = [
  '{"us":"1970-01-01T00:00:00.005000","zone":"1970-01-01T00:00:01.500000000Z","s":"1970-01-01T00:00:02","day":"2026-11-30"}',
  '{"us":"1970-01-01T00:00:00.005001","zone":"1969-12-31T23:59:59.999999999Z","s":"1969-12-31T23:59:58","day":"1969-12-31"}',
  '{"us":null,"zone":null,"s":null,"day":null}',
];

const read = async (path: string): Promise<Row[]> => {
  const found: Row[] = [];
  for await (const row of (await openSource(path, { features: all })).rows()) found.push(row);
  return found.map(createRowCheck(all));
};

describe("times in text", () => {
  test("all of a column have one form, which is that of its unit", async () => {
    const path = join(createDirectory(), "a.jsonl");
    await writeRows(path, rows, { features: all });
    expect(readFileSync(path, "utf8")).toBe(`${lines.join("\n")}\n`);
  });

  test("so they have where a file with a schema is converted", async () => {
    const dir = createDirectory();
    await writeRows(join(dir, "a.parquet"), rows, { features: all });
    const path = join(dir, "b.jsonl");
    const format = await loadFormat("jsonl");
    const source = await openSource(join(dir, "a.parquet"));
    await convertSource(source, { path, format, compression: "none", options: {}, columns: undefined });
    expect(readFileSync(path, "utf8")).toBe(`${lines.join("\n")}\n`);
  });

  test.each(["jsonl", "json", "csv", "tsv"])("%s gives back the same values", async (format) => {
    const path = join(createDirectory(), `a.${format}`);
    await writeRows(path, rows, { features: all });
    expect(await read(path)).toEqual(rows);
  });

  test("at any depth", async () => {
    const path = join(createDirectory(), "a.jsonl");
    const deep = features({ x: [{ t: "timestamp[us]", n: "int8" }], m: MapOf("string", List("date32")) });
    await writeRows(path, [{ x: [{ t: 1n, n: 2 }], m: [{ key: "a", value: [new Date(0)] }] }], { features: deep });
    expect(readFileSync(path, "utf8")).toBe(
      '{"x":[{"t":"1970-01-01T00:00:00.000001","n":2}],"m":[{"key":"a","value":["1970-01-01"]}]}\n',
    );
  });

  test.each(["jsonl", "csv"])("%s: a time beyond all years is a bad row", async (format) => {
    await using writer = await openWriter(join(createDirectory(), `a.${format}`), { features: all });
    await expect(writer.write([rows[0]!, { ...rows[1], s: 2n ** 60n }])).rejects.toMatchObject({
      code: "bad-row",
      message: expect.stringContaining("row 1 cannot be written: column s is a time beyond the years"),
    });
  });

  test("parquet keeps seconds beyond all Dates", async () => {
    const path = join(createDirectory(), "a.parquet");
    await writeRows(path, [{ s: 9_000_000_000_000n }], { features: all });
    expect(await read(path)).toMatchObject([{ s: 9_000_000_000_000n }]);
  });
});
