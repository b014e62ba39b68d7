import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Row } from "../../../src/data/batch/batch.js";
import { type Features, features } from "../../../src/data/features/feature.js";
import toy from "../../support/toy-format.js";
import { createDirectory } from "../tree.js";

export const TOY = new URL("../../support/toy-format.ts", import.meta.url).pathname;

export const FEATURES = features({ id: "int64", text: "string", ids: ["int32"] });

/** Of many sizes, so that blocks have many numbers of them. */
export const rowOf = (id: number): Row => ({
  id,
  text: `é${id} `.repeat(1 + ((id * 7919) % 40)),
  ids: Int32Array.from([id, -id]),
});

export const rowsUpTo = (count: number): Row[] => Array.from({ length: count }, (_, id) => rowOf(id));

/** A row as JSON, with the blank lines and the spaces that files have. */
const lineOf = (row: Row): string =>
  `${row.id % 5 === 0 ? "\n" : ""}${row.id % 7 === 0 ? "  \r\n" : ""}${JSON.stringify({ ...row, ids: [...row.ids] })}\n`;

export type Kind = "jsonl" | "jsonl.gz" | "toy";

/** Files of so many rows each, numbered through. @returns what `loadDataset` takes */
export async function writeShards(kind: Kind, counts: readonly number[], split = "data"): Promise<string> {
  const dir = createDirectory();
  let first = 0;
  for (const [i, count] of counts.entries()) {
    const rows = rowsUpTo(first + count).slice(first);
    const path = join(dir, split, `${String(i).padStart(3, "0")}.${kind}`);
    mkdirSync(dirname(path), { recursive: true });
    if (kind === "toy") await writeToy(path, rows, FEATURES);
    else {
      const text = rows.map(lineOf).join("");
      writeFileSync(path, kind === "jsonl" ? text : gzipSync(text));
    }
    first += count;
  }
  return dir;
}

async function writeToy(path: string, rows: readonly Row[], features: Features): Promise<void> {
  await using writer = await toy.create({ path, features, compression: "none", options: {}, groupRows: 70 });
  await writer.writeRows(rows);
  await writer.finish();
}

export async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of rows) all.push(row);
  return all;
}
