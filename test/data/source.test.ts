import { expect, test } from "vitest";
import { loadDataset } from "../../src/data/loader/load-dataset.js";
import { openSource } from "../../src/data/source/source.js";

test("a source of nothing is refused", async () => {
  const refused = { code: "source", message: "no source is named: the list is empty" };
  await expect(openSource([])).rejects.toMatchObject(refused);
  await expect(loadDataset([])).rejects.toMatchObject(refused);
});
