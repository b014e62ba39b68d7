import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Row } from "../../../src/data/batch/batch.js";
import { features, Nullable } from "../../../src/data/features/feature.js";
import { defineMap } from "../../../src/data/map/define-map.js";
import { inferOutput } from "../../../src/data/map/infer-output.js";
import { openSource } from "../../../src/data/source/source.js";
import { createDirectory } from "../tree.js";

async function infer(map: (row: Row) => unknown): Promise<unknown> {
  const path = join(createDirectory(), "a.jsonl");
  writeFileSync(path, '{"n":1}\n{"n":2}\n{"n":3}\n');
  return await inferOutput(await openSource([path]), defineMap({ map: map as (row: Row) => Row }), undefined);
}

const failing = {
  get x(): number {
    throw new Error("getter");
  },
};
const circle: Row = {};
circle.circle = circle;

test("rows that no column holds are left to the writer", async () => {
  const found = await infer(({ n }) => (n === 1 ? circle : n === 2 ? failing : { n, text: "a" }));
  expect(found).toEqual(features({ n: Nullable("int64"), text: Nullable("string") }));
});

test("unless there are no others", async () => {
  await expect(infer(() => failing)).rejects.toMatchObject({
    code: "features",
    message: "the function returns what no column holds: result 1: getter",
  });
  await expect(infer(() => circle)).rejects.toThrow("column circle is nested deeper than 1000 levels: at result 1");
  await expect(infer(({ n }) => ({ x: n === 1 ? 1 : "a" }))).rejects.toThrow("the function returns different types");
});
