// The bare loop on two threads: each reads half of the file, parses, calls, writes. node map-loop.mjs FILE OUT
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { isMainThread, Worker, workerData } from "node:worker_threads";

const clean = (row) => (row.text.length < 20 ? null : { ...row, text: row.text.trim() });

/** The lines that begin in [from, to). */
function mapLines(file, out, from, to) {
  const [input, output] = [openSync(file, "r"), openSync(out, "w")];
  const buffer = Buffer.allocUnsafe(1 << 20);
  const decoder = new StringDecoder("utf8");
  let at = from === 0 ? 0 : from - 1;
  let rest = "";
  let isFirst = from > 0;
  for (;;) {
    const count = readSync(input, buffer, 0, buffer.length, at);
    if (count === 0) break;
    const begin = at;
    at += count;
    let part = buffer.subarray(0, count);
    const last = at >= to ? part.indexOf(10, Math.max(0, to - 1 - begin)) : -1;
    if (last >= 0) part = part.subarray(0, last + 1);
    const lines = (rest + decoder.write(part)).split("\n");
    rest = lines.pop();
    if (isFirst) lines.shift();
    isFirst = false;
    let text = "";
    for (const line of lines) {
      const row = clean(JSON.parse(line));
      if (row !== null) text += `${JSON.stringify(row)}\n`;
    }
    writeSync(output, text);
    if (last >= 0) break;
  }
  closeSync(input);
  closeSync(output);
}

if (isMainThread) {
  const [file, out] = process.argv.slice(2);
  const fd = openSync(file, "r");
  const { size } = fstatSync(fd);
  const half = Math.floor(size / 2);
  const started = performance.now();
  const run = (from, to, i) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { file, out: `${out}.${i}`, from, to } });
      worker.once("error", reject).once("exit", resolve);
    });
  await Promise.all([run(0, half, 0), run(half, size, 1)]);
  process.stdout.write(`${JSON.stringify({ elapsedMs: performance.now() - started })}\n`);
} else {
  mapLines(workerData.file, workerData.out, workerData.from, workerData.to);
}
