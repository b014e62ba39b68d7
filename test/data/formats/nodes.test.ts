import type { SchemaTree } from "hyparquet";
import { expect, test } from "vitest";
import { nodesOf } from "../../../src/data/formats/parquet/nodes.js";

test("a schema of more than 1000 levels is refused by its column", () => {
  const path = Array.from({ length: 1001 }, () => "a");
  let tree = { element: { name: "a", type: "INT32" }, children: [], path, count: 1 } as unknown as SchemaTree;
  for (let depth = 1000; depth > 0; depth--)
    tree = { element: { name: "a" }, children: [tree], path: path.slice(0, depth), count: 1 } as unknown as SchemaTree;
  const root = { element: { name: "schema" }, children: [tree], path: [], count: 1 } as unknown as SchemaTree;
  expect(() => nodesOf(root)).toThrow("column a has more than 1000 levels");
});
