// The bare loop over a table: csv-parse as its manual shows it, with numbers, the function, a line of JSON. node csv-loop.mjs FILE OUT
import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { parse } from "csv-parse";

const [file, out] = process.argv.slice(2);
const clean = (row) => (row.text.length < 20 ? null : { ...row, text: row.text.trim() });
const output = openSync(out, "w");
let [count, text] = [0, ""];

function write() {
  writeSync(output, text);
  text = "";
}

for await (const row of createReadStream(file).pipe(
  parse({ bom: true, cast: true, columns: true, skip_empty_lines: true }),
)) {
  const cleaned = clean(row);
  count++;
  if (cleaned !== null) text += `${JSON.stringify(cleaned)}\n`;
  if (text.length > 1 << 20) write();
}
write();
closeSync(output);
console.log(JSON.stringify({ count }));
