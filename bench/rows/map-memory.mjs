import { randomBytes } from "node:crypto";
import { linkSync } from "node:fs";
import { join } from "node:path";
import { formatMegabytes as format } from "../lib/format.mjs";
import { createLine } from "../lib/line.mjs";
import { makeScratch, removeScratch } from "../lib/process.mjs";
import { runMap, writeJsonl, writeParquet } from "../lib/records.mjs";
import { interleave } from "../lib/statistics.mjs";

const GOAL_BYTES = 400 * 2 ** 20;
const ROW_BYTES = 1024;
const BATCH_ROWS = 10_000;

/** Of 1 KB: a text that no codec makes smaller, and that V8 keeps in two bytes a character. */
const rowOf = (id) => ({ id, text: `— ${randomBytes(740).toString("base64")}` });

const write = {
  jsonl: (file, rows) => writeJsonl(file, rows, rowOf),
  parquet: (file, rows) => writeParquet(file, { id: "int64", text: "string" }, batches(rows)),
};

/** Memory does not grow with the bytes that `@map` reads. */
export default {
  name: "map-memory",
  title: "peak resident memory over large datasets",
  async measure({ short }) {
    // A file is there once, under as many names as make up the size.
    const [fileMegabytes, names] = short ? [100, 4] : [250, 40];
    const fewNames = short ? 1 : names / 10;
    const lines = [];
    for (const kind of ["jsonl", "parquet"]) {
      const scratch = makeScratch();
      try {
        const rows = Math.floor((fileMegabytes * 1e6) / ROW_BYTES);
        const file = join(scratch, `rows.${kind}`);
        await write[kind](file, rows);
        const peak = (count) => async () => {
          const input = makeScratch(scratch);
          for (let i = 0; i < count; i++) linkSync(file, join(input, `rows-${i}.${kind}`));
          const map = { in: input, out: join(makeScratch(scratch), "out") };
          const { amounts, peakBytes } = await runMap("measure", map, { peak: true, timeoutMs: 1_800_000 });
          if (amounts.rows_in !== rows * count) throw new Error(`${amounts.rows_in} rows were read`);
          return peakBytes;
        };
        // One run: it takes minutes.
        const peaks = await interleave(1, { few: peak(fewNames), all: peak(names) });
        const gigabytes = (count) => `${(fileMegabytes * count) / 1000} GB`;
        const line = { what: `@map, 2 threads, ${gigabytes(names)} of ${kind}`, ours: peaks.all, format };
        lines.push(
          createLine({ ...line, against: "the goal of 400 MB", theirs: GOAL_BYTES, atMost: 1 }),
          createLine({ ...line, against: gigabytes(fewNames), theirs: peaks.few, atMost: 1.2 }),
        );
      } finally {
        removeScratch(scratch);
      }
    }
    return lines;
  },
};

function* batches(rows) {
  for (let from = 0; from < rows; from += BATCH_ROWS) {
    const length = Math.min(BATCH_ROWS, rows - from);
    const some = Array.from({ length }, (_, i) => rowOf(from + i));
    yield { length, columns: { id: Float64Array.from(some, ({ id }) => id), text: some.map(({ text }) => text) } };
  }
}
