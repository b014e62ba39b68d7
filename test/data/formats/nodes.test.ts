import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SchemaTree } from "hyparquet";
import { expect, test } from "vitest";
import { loadArrow } from "../../../src/data/formats/arrow/engine.js";
import { featuresOfSchema } from "../../../src/data/formats/arrow/schema.js";
import { loadEngine } from "../../../src/data/formats/parquet/engine.js";
import { featuresOfFile } from "../../../src/data/formats/parquet/file-features.js";
import { nodesOf } from "../../../src/data/formats/parquet/nodes.js";
import { ParquetReader } from "../../../src/data/formats/parquet/reader.js";
import { writeRows } from "../../../src/data/writer/open-writer.js";
import { createDirectory } from "../tree.js";
import { MemoryFile } from "./memory-file.js";

test("a schema of more than 1000 levels is refused by its column", () => {
  const path = Array.from({ length: 1001 }, () => "a");
  let tree = { element: { name: "a", type: "INT32" }, children: [], path, count: 1 } as unknown as SchemaTree;
  for (let depth = 1000; depth > 0; depth--)
    tree = { element: { name: "a" }, children: [tree], path: path.slice(0, depth), count: 1 } as unknown as SchemaTree;
  const root = { element: { name: "schema" }, children: [tree], path: [], count: 1 } as unknown as SchemaTree;
  expect(() => nodesOf(root)).toThrow("column a has more than 1000 levels");
});

test("two columns or fields of one name are refused by name", () => {
  const leaf = (...path: string[]): SchemaTree =>
    ({ element: { name: path.at(-1), type: "INT32" }, children: [], path, count: 1 }) as unknown as SchemaTree;
  const group = (children: SchemaTree[], ...path: string[]): SchemaTree =>
    ({ element: { name: path.at(-1) ?? "schema" }, children, path, count: 1 }) as unknown as SchemaTree;
  expect(() => nodesOf(group([leaf("a"), leaf("b"), leaf("a")]))).toThrow('columns 1 and 3 are both named "a"');
  expect(() => nodesOf(group([group([leaf("s", "x"), leaf("s", "x")], "s")]))).toThrow(
    'fields 1 and 2 of column s are both named "x"',
  );
});

test("two columns or fields of one name are refused in arrow", async () => {
  const arrow = await loadArrow();
  const [a, b] = ["a", "b"].map((name) => new arrow.Field(name, new arrow.Int8()));
  expect(() => featuresOfSchema(arrow, new arrow.Schema([a!, b!, b!]))).toThrow('columns 2 and 3 are both named "b"');
  const struct = new arrow.Field("s", new arrow.Struct([a!, a!] as never));
  expect(() => featuresOfSchema(arrow, new arrow.Schema([struct]))).toThrow(
    'fields 1 and 2 of column s are both named "a"',
  );
});

test("an encrypted column of a file whose footer is not", async () => {
  const path = join(createDirectory(), "a.parquet");
  await writeRows(path, [{ i: 1, x: 2 }]);
  const engine = await loadEngine();
  const bytes = readFileSync(path);
  const metadata = engine.parquetMetadata(Uint8Array.from(bytes));
  metadata.row_groups[0]!.columns[1]!.crypto_metadata = {} as never;
  const nodes = nodesOf(engine.parquetSchema(metadata));
  const features = await featuresOfFile(nodes, metadata);
  await using reader = new ParquetReader({ file: new MemoryFile(bytes), engine, metadata, nodes, features });
  const read = async (columns: string[]): Promise<unknown> => (await reader.batches({ columns }).next()).value;
  expect(await read(["i"])).toMatchObject({ length: 1 });
  await expect(read(["i", "x"])).rejects.toMatchObject({
    code: "bad-data",
    message: expect.stringMatching(/column x cannot be read: it is encrypted/),
  });
});
