import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatRate as rate } from "../lib/format.mjs";
import { kagurazaka, peer, taskFile } from "../lib/kagurazaka.mjs";
import { createLine, missingLine } from "../lib/line.mjs";
import { makeScratch, removeScratch, runJson, runProcess } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

/** `@map` over JSON lines of 1 KB: beside a loop by hand, Python's datasets, jq. */
export default {
  name: "map",
  title: "rows mapped",
  async measure({ short, runs }) {
    const rows = short ? 40_000 : 400_000;
    const scratch = makeScratch();
    try {
      const file = join(scratch, "rows.jsonl");
      await writeRows(file, rows);
      const out = () => join(makeScratch(scratch), "out");
      const perSecond = (ms) => (rows * 1000) / ms;
      const map = async (...more) => {
        const { wallMs, amounts } = await kagurazaka([
          "@map",
          `${taskFile("map.ts")}#clean`,
          "--in",
          file,
          "--out",
          out(),
          "--num_process",
          "2",
          "--slice-bytes",
          short ? "4MiB" : "16MiB",
          ...more,
        ]);
        if (amounts.rows_out !== rows) throw new Error(`${amounts.rows_out} rows, not ${rows}`);
        return perSecond(wallMs);
      };
      const python = process.env.BENCH_PYTHON ?? "python3";
      const hasDatasets = spawnSync(python, ["-c", "import datasets"]).status === 0;
      const hasJq = spawnSync("jq", ["--version"]).status === 0;
      const datasets = (form) => async () =>
        perSecond((await runJson([python, peer("map_datasets.py"), file, `${out()}.jsonl`, "2", form])).elapsedMs);
      const figures = await interleave(short ? runs : Math.min(runs, 3), {
        ours: () => map(),
        bare: async () => perSecond((await runJson([process.execPath, peer("map-loop.mjs"), file, out()])).wallMs),
        ...(hasDatasets && { rows: datasets("rows"), batched: datasets("batched") }),
        ...(hasJq && {
          jq: async () =>
            perSecond(
              (await runProcess(["jq", "-c", "select(.text | length >= 20)", file], { output: "ignore" })).wallMs,
            ),
        }),
        parquet: () => map("--format", "parquet", "--compression", "zstd"),
      });
      const what = `JSONL to JSONL, ${rows / 1000}k rows of 1 KB, 2 threads`;
      const line = (against, theirs, goal = {}) =>
        createLine({ what, against, ours: figures.ours, theirs, format: rate, ...goal });
      return [
        line("read, JSON.parse, function, write: a loop on 2 threads", figures.bare, { atLeast: 0.85 }),
        ...(hasDatasets
          ? [
              line("datasets.map(num_proc=2), row by row, with load and write", figures.rows, { atLeast: 3 }),
              line("datasets.map(num_proc=2, batched), with load and write", figures.batched, { atLeast: 1.2 }),
            ]
          : [missingLine(what, "datasets.map")]),
        hasJq ? line("jq -c (the filter alone, one process)", figures.jq) : missingLine(what, "jq"),
        createLine({
          what: "the same to parquet, zstd",
          against: "to JSONL",
          ours: figures.parquet,
          theirs: figures.ours,
          format: rate,
        }),
      ];
    } finally {
      removeScratch(scratch);
    }
  },
};

async function writeRows(file, rows) {
  const stream = createWriteStream(file);
  const text = "The quick brown fox jumps over the lazy dog — ".repeat(20);
  for (let id = 0; id < rows; id++) {
    const row = {
      id,
      text: ` ${text}${id}`,
      score: id / 7,
      tags: ["a", "b"],
      meta: { url: `https://example.com/${id}`, lang: "en" },
    };
    if (!stream.write(`${JSON.stringify(row)}\n`)) await once(stream, "drain");
  }
  stream.end();
  await once(stream, "finish");
  writeFileSync(`${file}.size`, String(statSync(file).size));
}
