import { join } from "node:path";
import { formatRate as rate } from "../lib/format.mjs";
import { peer } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { makeScratch, removeScratch, runJson } from "../lib/process.mjs";
import { runMap, writeParquet } from "../lib/records.mjs";
import { interleave } from "../lib/statistics.mjs";

/** Parquet to rows, and lists of integers to typed arrays. */
export default {
  name: "parquet",
  title: "parquet read",
  async measure({ short, runs }) {
    const rows = short ? 50_000 : 400_000;
    const scratch = makeScratch();
    try {
      const [flat, lists, large] = ["flat", "lists", "large"].map((name) => join(scratch, `${name}.parquet`));
      // So that the start of the command, which threads do not share, is little of it.
      const times = short ? 1 : 8;
      const text = "lorem ipsum dolor sit amet ".repeat(7);
      const ids = Array.from({ length: rows }, (_, i) => i);
      const write = (path, schema, columns, count = 1) =>
        writeParquet(path, schema, new Array(count).fill({ length: rows, columns }), rows / 8);
      const schema = { id: "int64", text: "string", score: "float64" };
      const columns = {
        id: Float64Array.from(ids),
        text: ids.map((i) => text + i),
        score: Float64Array.from(ids, (i) => i / 7),
      };
      await write(flat, schema, columns);
      await write(large, schema, columns, times);
      const list = (i) => Int32Array.from({ length: 40 }, (_, j) => (i * 31 + j * 7919) % 50_000);
      await write(lists, { ids: ["int32"] }, { ids: ids.map(list) });
      const read = (file, who) => async () => {
        const { elapsedMs, count } = await runJson([process.execPath, peer("parquet-rows.mjs"), file, who]);
        return (count * 1000) / elapsedMs;
      };
      const map = (workers) => async () => {
        const words = ["--format", "parquet", "--slice-bytes", "1MiB"];
        const out = join(makeScratch(scratch), "out");
        const { elapsedMs } = await runMap("same", { in: large, out, workers, words });
        return (rows * times * 1000) / elapsedMs;
      };
      const figures = await interleave(short ? runs : Math.min(runs, 3), {
        ours: read(flat, "ours"),
        hyparquet: read(flat, "hyparquet"),
        lists: read(lists, "lists"),
        rowsOfLists: read(lists, "hyparquet"),
        two: map(2),
        one: map(1),
      });
      const line = (what, ours, against, theirs, goal = {}) =>
        createLine({ what, against, ours, theirs, format: rate, ...goal });
      return [
        line(`rows of ${rows / 1000}k (int64, text, double)`, figures.ours, "hyparquet alone", figures.hyparquet, {
          atLeast: 0.9,
        }),
        line("integers of list<int32>, as typed arrays", figures.lists, "the goal of 20M/s", 20_000_000, {
          atLeast: 1,
        }),
        line("integers of list<int32>, as typed arrays", figures.lists, "hyparquet's rows", figures.rowsOfLists * 40),
        line(
          `@map, ${(rows * times) / 1000}k rows of parquet to parquet, 2 threads`,
          figures.two,
          "one thread",
          figures.one,
          { atLeast: 1.8 },
        ),
      ];
    } finally {
      removeScratch(scratch);
    }
  },
};
