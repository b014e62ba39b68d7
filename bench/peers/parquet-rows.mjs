// Reads a parquet file to row objects. node parquet-rows.mjs FILE hyparquet|ours|lists
import { pathToFileURL } from "node:url";

const [file, who] = process.argv.slice(2);
const built = (path) => import(pathToFileURL(new URL(`../../dist/src/data/${path}`, import.meta.url).pathname));

async function hyparquet() {
  const { asyncBufferFromFile, parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  return async () => (await parquetReadObjects({ file: await asyncBufferFromFile(file), compressors })).length;
}

async function ours(read) {
  const { loadFormat, openShard } = await built("index.js");
  const format = await loadFormat("parquet");
  return async () => {
    const shard = await openShard({ path: file, format, packing: "none", options: {} });
    try {
      return await read(shard);
    } finally {
      await shard[Symbol.asyncDispose]();
    }
  };
}

async function countRows(shard) {
  let count = 0;
  for await (const block of shard.rows()) count += block.rows.length;
  return count;
}

async function countIntegers(shard) {
  let count = 0;
  for await (const batch of shard.batches()) for (const list of batch.columns.ids) count += list.length;
  return count;
}

const run = await (who === "hyparquet" ? hyparquet() : ours(who === "lists" ? countIntegers : countRows));
await run();
const started = performance.now();
const count = await run();
process.stdout.write(`${JSON.stringify({ elapsedMs: performance.now() - started, count })}\n`);
