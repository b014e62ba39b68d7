import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sanitizePatterns } from "../../../src/data/hub/card.js";
import { matchFiles, sortFiles, splitsByNames } from "../../../src/data/hub/splits.js";

/** What Python's `datasets` says. Splits that it finds twice are once in ours; a name that it refuses has an error. */
const golden = JSON.parse(readFileSync(new URL("../../fixtures/hub/splits.json", import.meta.url), "utf8")) as {
  names: [string[], Record<string, string[]> | string][];
  patterns: [unknown, Record<string, string[]> | string][];
  tree: string[];
};
const once = (splits: Record<string, string[]>) =>
  Object.fromEntries(Object.entries(splits).map(([split, files]) => [split, [...new Set(files)]]));

describe("splits by names are those of Python's datasets", () => {
  test.each(golden.names)("%j", (names, splits) => {
    // A folder with a bad name of a split is an error there.
    if (typeof splits === "string") return;
    const ours = splitsByNames(names);
    expect(Object.fromEntries(ours)).toEqual(once(splits));
    expect([...ours.keys()]).toEqual(Object.keys(splits));
  });
});

describe("patterns of a card mean what they mean in Python", () => {
  test.each(golden.patterns)("%j", (written, splits) => {
    const ours = () =>
      Object.fromEntries(
        [...sanitizePatterns(written, "x")].map(([split, patterns]) => [split, matchFiles(patterns, golden.tree, "x")]),
      );
    if (typeof splits === "string") expect(ours).toThrow(/names the file/);
    else expect(ours()).toEqual(once(splits));
  });
});

test("a split name that Python refuses is left to the further rules", () => {
  expect(Object.fromEntries(splitsByNames(["data/my-train-00000-of-00001.parquet"]))).toEqual({
    train: ["data/my-train-00000-of-00001.parquet"],
  });
});

test("parts are sorted by number", () => {
  const part = (i: number, of = 123456) => `train-${String(i).padStart(5, "0")}-of-${of}.parquet`;
  expect(sortFiles([part(100_000), part(99_999), part(2), "a"])).toEqual(["a", part(2), part(99_999), part(100_000)]);
});

test("what a run leaves beside the data, and what is about it, is no data", () => {
  const names = ["_SUCCESS", "_manifest.json", "LICENSE", "readme.txt", "a/License.md", "a/x.jsonl"];
  expect(Object.fromEntries(splitsByNames(names))).toEqual({ train: ["a/x.jsonl"] });
});

test("time grows with the files, not with their square", () => {
  const names = Array.from({ length: 30_000 }, (_, i) => `data/train-${String(i).padStart(5, "0")}-of-30000.parquet`);
  const begun = performance.now();
  expect(splitsByNames(names).get("train")).toHaveLength(names.length);
  expect(matchFiles(names, names, "d")).toHaveLength(names.length);
  expect(performance.now() - begun).toBeLessThan(3000);
});
