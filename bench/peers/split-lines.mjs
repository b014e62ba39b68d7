// node split-lines.mjs FILE: reads a file and splits it into lines, and nothing else.
import { createReadStream } from "node:fs";

const started = performance.now();
let count = 0;
let rest = "";
for await (const chunk of createReadStream(process.argv[2], { encoding: "utf8", highWaterMark: 1 << 18 })) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  count += lines.length;
}
if (rest !== "") count++;
console.log(JSON.stringify({ count, elapsedMs: performance.now() - started }));
