import { join } from "node:path";
import { formatRate as format, formatCount } from "../lib/format.mjs";
import { peer } from "../lib/kagurazaka.mjs";
import { duckdb, measureBeside, python } from "../lib/peers.mjs";
import { makeScratch, removeScratch, runJson } from "../lib/process.mjs";
import { rowsPerSecond, runMap, writeCsv } from "../lib/records.mjs";

/** `@map` over a CSV table: beside a loop over csv-parse, pandas, DuckDB. */
export default {
  name: "map-csv",
  title: "rows of a table mapped",
  async measure({ short, runs }) {
    const rows = short ? 20_000 : 1_000_000;
    const scratch = makeScratch();
    try {
      const file = join(scratch, "table.csv");
      writeCsv(file, rows);
      const out = () => join(makeScratch(scratch), "out");
      const perSecond = (ms) => (rows * 1000) / ms;
      const runPeer = async (...command) => perSecond((await runJson([...command, file, `${out()}.jsonl`])).wallMs);
      const words = ["--format", "jsonl", "--slice-bytes", short ? "512KiB" : "8MiB"];
      const peers = [
        {
          against: "csv-parse as its manual shows it (cast), function, write: one thread",
          run: () => runPeer(process.execPath, peer("csv-loop.mjs")),
        },
        {
          against: "pandas: read_csv, filter, to_json, with start",
          module: "pandas",
          run: () => runPeer(python, peer("map_pandas.py")),
        },
        duckdb(
          () =>
            `COPY (SELECT * REPLACE (trim(text) AS text) FROM read_csv('${file}') r WHERE length(r.text) >= 20)
             TO '${out()}.jsonl' (FORMAT json)`,
          perSecond,
        ),
      ];
      const what = `CSV to JSONL, ${formatCount(rows)} short rows, 2 threads`;
      const ours = async () => rowsPerSecond(await runMap("clean", { in: file, out: out(), words }), rows);
      return (await measureBeside(short ? runs : Math.min(runs, 3), { what, format, ours }, peers)).lines;
    } finally {
      removeScratch(scratch);
    }
  },
};
