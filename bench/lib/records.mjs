import { once } from "node:events";
import { createWriteStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { kagurazaka, repository, taskFile } from "./kagurazaka.mjs";

/**
 * Runs `@map` with a function of tasks/map.ts.
 * @param {string} name of the function
 * @param {{ in: string, out: string, workers?: number, words?: readonly string[] }} map
 * @param {Parameters<typeof kagurazaka>[1]} options
 */
export function runMap(name, { in: input, out, workers = 2, words = [] }, options) {
  const flags = ["--in", input, "--out", out, "--num_process", String(workers)];
  return kagurazaka(["@map", `${taskFile("map.ts")}#${name}`, ...flags, ...words], options);
}

/** Rows per second of a run that must have written all of them. */
export function rowsPerSecond({ wallMs, amounts }, rows) {
  if (amounts.rows_out !== rows) throw new Error(`${amounts.rows_out} rows were written, not ${rows}`);
  return (rows * 1000) / wallMs;
}

/** Writes lines of JSON; `rowOf` gets the number of the row. */
export async function writeJsonl(file, rows, rowOf) {
  const stream = createWriteStream(file);
  for (let i = 0; i < rows; i++) {
    if (!stream.write(`${JSON.stringify(rowOf(i))}\n`)) await once(stream, "drain");
  }
  stream.end();
  await once(stream, "finish");
}

/** Writes a parquet file of batches: `{ length, columns }`. */
export async function writeParquet(path, schema, batches, groupRows) {
  const { features, loadFormat } = await import(pathToFileURL(join(repository, "dist/src/data/index.js")).href);
  const format = await loadFormat("parquet");
  const writer = await format.create({
    path,
    features: features(schema),
    compression: "snappy",
    options: {},
    groupRows,
  });
  for (const batch of batches) await writer.writeBatch(batch);
  await writer.finish();
}

/** Writes a table with a quoted column. */
export function writeCsv(file, rows) {
  const lines = Array.from({ length: rows }, (_, i) => `${i},name ${i},"some text, with a comma ${i}",${i / 7}\n`);
  writeFileSync(file, `id,name,text,score\n${lines.join("")}`);
}
