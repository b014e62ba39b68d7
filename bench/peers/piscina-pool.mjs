// piscina alone: arrays of 1000 no-op items, a few of them in flight per thread. node piscina-pool.mjs THREADS ITEMS
import { Piscina } from "piscina";

const CHUNK = 1000;
const IN_FLIGHT_PER_THREAD = 4;

function* listItems(count) {
  for (let i = 0; i < count; i++) yield { i, path: `data/${i}.bin` };
}

const [threads, count] = process.argv.slice(2).map(Number);
const filename = new URL("piscina-worker.mjs", import.meta.url).href;
const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads });
const started = performance.now();
const underWay = new Set();
let chunk = [];
const send = () => {
  const sent = pool.run(chunk).then(() => underWay.delete(sent));
  underWay.add(sent);
  chunk = [];
};
for (const item of listItems(count)) {
  chunk.push(item);
  if (chunk.length < CHUNK) continue;
  send();
  if (underWay.size >= threads * IN_FLIGHT_PER_THREAD) await Promise.race(underWay);
}
if (chunk.length > 0) send();
await Promise.all(underWay);
const elapsedMs = performance.now() - started;
await pool.destroy();
process.stdout.write(`${JSON.stringify({ elapsedMs })}\n`);
