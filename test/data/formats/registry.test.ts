import { describe, expect, test } from "vitest";
import {
  formatExtensions,
  formatNames,
  formatOfContents,
  formatOfName,
  loadFormat,
  packingExtension,
} from "../../../src/data/formats/registry.js";

describe("the shelf of formats", () => {
  test("each has the name and the extensions that the table says, and no two the same", async () => {
    const all = await Promise.all(formatNames().map(async (name) => [name, await loadFormat(name)] as const));
    for (const [name, format] of all) expect(format.name).toBe(name);
    const declared = all.flatMap(([name, { extensions }]) => extensions.map((extension) => `${extension} ${name}`));
    expect(
      formatExtensions()
        .map((extension) => `${extension} ${formatOfName(`x${extension}`).format}`)
        .sort(),
    ).toEqual(declared.sort());
  });

  test.each([
    ["a.jsonl", "jsonl", "none"],
    ["A.JSONL.GZ", "jsonl", "gzip"],
    ["a.b.csv.zst", "csv", "zstd"],
    ["a.parquet", "parquet", "none"],
    ["a", undefined, "none"],
    ["a.toString", undefined, "none"],
    [".gz", undefined, "gzip"],
  ])("%s", (name, format, packing) => expect(formatOfName(name)).toEqual({ format, packing }));

  test("an unknown one is told the nearest; a package that is none says why", async () => {
    await expect(loadFormat("parqet")).rejects.toThrow('there is no format "parqet". Did you mean "parquet"?');
    await expect(loadFormat("toString")).rejects.toMatchObject({ code: "bad-value" });
    await expect(loadFormat("./nowhere.js")).rejects.toThrow(/cannot be loaded/);
    await expect(loadFormat("./package.json")).rejects.toMatchObject({ code: "bad-value" });
  });

  test.each([
    ['{"a":1}\n{"a":2}\n', "jsonl"],
    ['[{"a":1}]', "json"],
    ["a,b\n1,2\n", "csv"],
    ["a\tb\n1\t2\n", "tsv"],
    ["PAR1\x15\x04", "parquet"],
    ["ARROW1\0\0", "arrow"],
    ["PAR1\x15\x04a\tb,c\n1,2\td\n", "parquet"],
    ["PARE\x15\x04a,b\n", "parquet"],
    ["ARROW1\0\0a,b\n1,2\n", "arrow"],
    ["a,b\n1,\0\n", undefined],
    ["a\tb\n\0", undefined],
    ['{"a":1}\n{"a":"\0"}\n', undefined],
    ['[{"a":1},\0', undefined],
    ["\x7fELF", undefined],
    ["", undefined],
  ])("contents that begin %j", async (head, format) => {
    expect(await formatOfContents(Buffer.from(head, "latin1"))).toBe(format);
  });

  test("packed files have an extension more", () => {
    expect([packingExtension("gzip"), packingExtension("zstd"), packingExtension("none")]).toEqual([".gz", ".zst", ""]);
  });
});
