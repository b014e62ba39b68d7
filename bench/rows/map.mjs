import { join } from "node:path";
import { formatRate as format } from "../lib/format.mjs";
import { peer } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { duckdb, measureBeside, python } from "../lib/peers.mjs";
import { makeScratch, removeScratch, runJson, runProcess } from "../lib/process.mjs";
import { rowsPerSecond, runMap, writeJsonl } from "../lib/records.mjs";

const TEXT = "The quick brown fox jumps over the lazy dog — ".repeat(20);

/** `@map` over JSON lines of 1 KB: beside a loop by hand, Python's datasets and datatrove, DuckDB, jq. */
export default {
  name: "map",
  title: "rows mapped",
  async measure({ short, runs }) {
    const rows = short ? 40_000 : 400_000;
    const scratch = makeScratch();
    try {
      const file = join(scratch, "rows.jsonl");
      await writeJsonl(file, rows, (id) => ({
        id,
        text: ` ${TEXT}${id}`,
        score: id / 7,
        tags: ["a", "b"],
        meta: { url: `https://example.com/${id}`, lang: "en" },
      }));
      const out = () => join(makeScratch(scratch), "out");
      const perSecond = (ms) => (rows * 1000) / ms;
      const map = async (...more) => {
        const words = ["--slice-bytes", short ? "4MiB" : "16MiB", ...more];
        return rowsPerSecond(await runMap("clean", { in: file, out: out(), words }), rows);
      };
      const inPython = (script, ...more) => perSecondOf([python, peer(script), file, `${out()}.jsonl`, "2", ...more]);
      const perSecondOf = async (command) => perSecond((await runJson(command)).elapsedMs);
      const what = `JSONL to JSONL, ${rows / 1000}k rows of 1 KB, 2 threads`;
      const peers = [
        {
          against: "read, JSON.parse, function, write: a loop on 2 threads",
          run: async () => perSecond((await runJson([process.execPath, peer("map-loop.mjs"), file, out()])).wallMs),
          goal: { atLeast: 0.85 },
        },
        {
          against: "datasets.map(num_proc=2), row by row, with load and write",
          module: "datasets",
          run: () => inPython("map_datasets.py", "rows"),
          goal: { atLeast: 3 },
        },
        {
          against: "datasets.map(num_proc=2, batched), with load and write",
          module: "datasets",
          run: () => inPython("map_datasets.py", "batched"),
          goal: { atLeast: 1.2 },
        },
        {
          against: "datatrove: JSONL reader, filter, writer, 2 workers",
          module: "datatrove",
          run: () => inPython("map_datatrove.py"),
        },
        duckdb(
          () =>
            `COPY (SELECT * REPLACE (trim(text) AS text) FROM read_json('${file}') r WHERE length(r.text) >= 20)
             TO '${out()}.jsonl' (FORMAT json)`,
          perSecond,
        ),
        {
          against: "jq -c (the filter alone, one process)",
          command: "jq",
          run: async () => {
            const command = ["jq", "-c", "select(.text | length >= 20)", file];
            return perSecond((await runProcess(command, { output: "ignore" })).wallMs);
          },
        },
      ];
      const { figures, lines } = await measureBeside(
        short ? runs : Math.min(runs, 3),
        { what, format, ours: () => map() },
        peers,
        { parquet: () => map("--format", "parquet", "--compression", "zstd") },
      );
      const parquet = { what: "the same to parquet, zstd", against: "to JSONL" };
      return [...lines, createLine({ ...parquet, ours: figures.parquet, theirs: figures.ours, format })];
    } finally {
      removeScratch(scratch);
    }
  },
};
