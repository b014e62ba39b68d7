// node csv-parse.mjs FILE manual|arrays: the parser alone, as its manual shows it (a stream of objects, one by one), or
// as fast as it gets: arrays, taken where the parser makes them.
import { createReadStream } from "node:fs";
import { Parser, parse } from "csv-parse";

const [file, how] = process.argv.slice(2);
const options = { bom: true, skip_empty_lines: true };
const started = performance.now();
let count = 0;

if (how === "manual") {
  const parser = createReadStream(file).pipe(parse({ ...options, columns: true }));
  for await (const row of parser) if (row) count++;
} else {
  class Rows extends Parser {
    taken = [];
    push(row) {
      if (row === null) return super.push(null);
      this.taken.push(row);
      return true;
    }
  }
  const rows = new Rows({ ...options, record_delimiter: ["\r\n", "\n", "\r"] });
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 })) {
    await new Promise((resolve, reject) => rows.write(chunk, (error) => (error ? reject(error) : resolve())));
    count += rows.taken.length;
    rows.taken = [];
  }
  await new Promise((resolve) => rows.once("close", resolve).resume().end());
  // The first one is the header.
  count += rows.taken.length - 1;
}
console.log(JSON.stringify({ count, elapsedMs: performance.now() - started }));
