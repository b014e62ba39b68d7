import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isGlob, listFolder, listGlob } from "../../../src/data/hub/folder.js";

const root = mkdtempSync(join(tmpdir(), "folder-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const put = (name: string, text = "x"): void => {
  mkdirSync(join(root, name, ".."), { recursive: true });
  writeFileSync(join(root, name), text);
};
put("data/train/a.jsonl", "12345");
put("data/b.jsonl");
put("data/README.md", "---\nlicense: mit\n---\n");
put("data/.hidden/c.jsonl");
put("empty/.x");
put("card/README.md");

test("a folder has its files with size and version, and its card", async () => {
  const { files, card } = await listFolder(join(root, "data"));
  expect(files.map(({ name, size }) => [name, size])).toEqual([
    ["README.md", 21],
    ["b.jsonl", 1],
    ["train/a.jsonl", 5],
  ]);
  expect(files[2]!.version).toMatch(/^[\d.]+:5$/);
  expect(card?.license).toEqual(["mit"]);
});

test("a file is a dataset of one", async () => {
  expect(await listFolder(join(root, "data/b.jsonl"))).toMatchObject({
    root: join(root, "data"),
    files: [{ name: "b.jsonl" }],
  });
});

test("a glob has what it matches, below the folder that it spells out", async () => {
  expect(isGlob("a/*.b") && !isGlob("a/b.c")).toBe(true);
  const { root: at, files } = await listGlob(join(root, "data/**/*.jsonl"));
  expect([at, files.map(({ name }) => name)]).toEqual([join(root, "data"), ["b.jsonl", "train/a.jsonl"]]);
});

test.each([
  ["a path that is missing", () => listFolder(join(root, "dat")), /there is no .*dat\. Did you mean "data"\?/],
  ["a path below one", () => listFolder(join(root, "dat/a/b")), /because there is no .*dat\. Did you mean "data"\?/],
  ["an empty folder", () => listFolder(join(root, "empty")), /empty is empty/],
  ["a folder with a card alone", () => listFolder(join(root, "card")), /README\.md, but no data/],
  ["a glob without a match", () => listGlob(join(root, "data/*.json")), /no file matches .* Did you mean "b\.jsonl"\?/],
  [
    "a glob without anything near",
    () => listGlob(join(root, "data/zzz*.parquet")),
    /There are, for example: README\.md, b\.jsonl/,
  ],
  [
    "a glob in a folder that is missing",
    () => listGlob(join(root, "dataa/*.json")),
    /there is no .*dataa\. Did you mean "data"/,
  ],
])("%s is an error", async (_, list, message) => {
  await expect(list()).rejects.toMatchObject({ code: "source", message });
});
