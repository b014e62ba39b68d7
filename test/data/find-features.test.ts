import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Row } from "../../src/data/batch/batch.js";
import { features, Nullable } from "../../src/data/features/feature.js";
import { openSource } from "../../src/data/source/source.js";
import { writeRows } from "../../src/data/writer/open-writer.js";
import { createDirectory } from "./tree.js";

async function pathsOf(files: Readonly<Record<string, Buffer | string | Row[]>>): Promise<string[]> {
  const dir = createDirectory();
  const paths: string[] = [];
  for (const [name, contents] of Object.entries(files)) {
    const path = join(dir, name);
    if (Array.isArray(contents)) await writeRows(path, contents);
    else writeFileSync(path, contents);
    paths.push(path);
  }
  return paths;
}

const found = async (files: Parameters<typeof pathsOf>[0]) => (await openSource(await pathsOf(files))).features();

describe("files that contradict each other are both named", () => {
  test.each<[string, Parameters<typeof pathsOf>[0], string]>([
    [
      "a schema and rows",
      { "a.parquet": [{ x: 1 }], "b.jsonl": '{"x":"s"}\n' },
      "column x is int64? in a.parquet and string? in b.jsonl",
    ],
    [
      "rows and a schema",
      { "b.jsonl": '{"x":"s"}\n', "a.parquet": [{ x: 1 }] },
      "column x is int64? in a.parquet and string? in b.jsonl",
    ],
    [
      "files between them that fit",
      { "a.parquet": [{ y: 1 }], "b.jsonl": '{"y":1}\n', "c.parquet": [{ x: 1 }], "d.jsonl": '{"x":{"z":1}}\n' },
      "column x is int64? in c.parquet and {z: int64?}? in d.jsonl",
    ],
    [
      "three schemas",
      { "a.parquet": [{ y: 1 }], "b.parquet": [{ x: 1 }], "c.arrow": [{ x: "s" }] },
      "column x is int64? in b.parquet and string? in c.arrow",
    ],
  ])("%s", async (_, files, message) => {
    await expect(found(files)).rejects.toMatchObject({
      code: "features",
      message: message.replaceAll("?", "").replace("{z: int64}", "{z: int64?}"),
      hint: expect.stringMatching(/Convert one/),
    });
  });
});

describe("a file of which no row can be read", () => {
  test.each<[string, Buffer, RegExp]>([
    ["noise", Buffer.from([0x9f, 0x88, 0x0a, 0x90, 0x0a]), /x\.jsonl:1: not valid UTF-8/],
    ["a line that is not JSON", Buffer.from("hello\n"), /x\.jsonl:1: not JSON/],
  ])("says why: %s", async (_, bytes, message) => {
    await expect(found({ "x.jsonl": bytes })).rejects.toMatchObject({
      code: "bad-data",
      message: expect.stringMatching(message),
    });
  });

  test("beside one that can be read is left to its reader", async () => {
    expect(await found({ "x.jsonl": "hello\n", "y.jsonl": '{"a":1}\n' })).toEqual({ a: Nullable("int64") });
    expect(await found({ "x.jsonl": "" })).toEqual({});
  });
});

describe("a header without rows", () => {
  test("names columns that are null", async () => {
    const none = features({ a: Nullable("null"), b: Nullable("null") });
    expect(await found({ "h.csv": "a,b\n" })).toEqual(none);
    expect(await found({ "h.tsv": "a\tb" })).toEqual(none);
    expect(await found({ "h.csv": "a,b\n", "i.csv": "a,b\n,1\n" })).toEqual(
      features({ a: Nullable("null"), b: Nullable("int64") }),
    );
    expect(await found({ "h.csv": "a,b\n", "i.parquet": [{ a: 1 }] })).toMatchObject({ b: Nullable("null") });
    expect(await found({ "h.csv": "" })).toEqual({});
  });

  test("can be written with its columns", async () => {
    const source = await openSource(await pathsOf({ "h.csv": "a,b\n" }));
    const path = join(createDirectory(), "h.parquet");
    await writeRows(path, [], { features: await source.features() });
    expect(Object.keys(await (await openSource(path)).features())).toEqual(["a", "b"]);
  });
});
