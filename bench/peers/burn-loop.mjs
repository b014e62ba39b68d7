// No tool at all: every STRIDE-th item from FIRST on, one after the other. node burn-loop.mjs ITEMS ROUNDS_PER_MS FIRST STRIDE
import { burn, burnMsOf } from "../lib/burn.mjs";

const [count, roundsPerMs, first, stride] = process.argv.slice(2).map(Number);
const started = performance.now();
for (let i = first; i < count; i += stride) burn(burnMsOf(i) * roundsPerMs);
process.stdout.write(`${JSON.stringify({ elapsedMs: performance.now() - started })}\n`);
