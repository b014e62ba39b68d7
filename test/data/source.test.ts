import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadDataset } from "../../src/data/loader/load-dataset.js";
import { openSource } from "../../src/data/source/source.js";
import { createDirectory } from "./tree.js";

test("a source of nothing is refused", async () => {
  const refused = { code: "source", message: "no source is named: the list is empty" };
  await expect(openSource([])).rejects.toMatchObject(refused);
  await expect(loadDataset([])).rejects.toMatchObject(refused);
});

test("a link to what is not there is said to be one", async () => {
  const dir = createDirectory();
  symlinkSync("nowhere", join(dir, "br.jsonl"));
  symlinkSync("/nowhere/else", join(dir, "folder"));
  await expect(openSource(join(dir, "br.jsonl"))).rejects.toMatchObject({
    code: "source",
    message: `${dir}/br.jsonl is a link to what is not there: nowhere`,
  });
  await expect(openSource(join(dir, "folder", "a.jsonl"))).rejects.toThrow(
    `${dir}/folder is a link to what is not there: /nowhere/else`,
  );
});
