// No tool at all: LANES loops that wait MS each, until ITEMS are through. node sleep-loop.mjs ITEMS LANES MS
import { setTimeout as delay } from "node:timers/promises";

const [count, lanes, ms] = process.argv.slice(2).map(Number);
let next = 0;
const started = performance.now();
await Promise.all(
  Array.from({ length: lanes }, async () => {
    while (next++ < count) await delay(ms);
  }),
);
process.stdout.write(`${JSON.stringify({ elapsedMs: performance.now() - started })}\n`);
