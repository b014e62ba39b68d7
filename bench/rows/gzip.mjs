import { formatRate } from "../lib/format.mjs";
import { kagurazaka, taskFile } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { interleave } from "../lib/statistics.mjs";

const WORKERS = 2;
const CONCURRENCY = 2;

/** The cost of workers in processes, for work on I/O threads and for no work at all. */
export default {
  name: "gzip",
  title: "async gzip of 1 MB texts, threads and processes",
  async measure({ short, runs }) {
    const items = short ? 40 : 400;
    const noOps = short ? 100_000 : 1_000_000;
    const run =
      (file, name, count, isolation, extra = []) =>
      async () => {
        const words = [taskFile(file), name, "--items", String(count), "--backbone", "mp"];
        const how = ["--num_process", String(WORKERS), "--isolation", isolation, ...extra];
        return (count * 1000) / (await kagurazaka([...words, ...how], { done: count })).elapsedMs;
      };
    const gzip = (isolation) => run("gzip.ts", "Gzip", items, isolation, ["--concurrency", String(CONCURRENCY)]);
    const noOp = (isolation) => run("no-op.ts", "NoOp", noOps, isolation);
    await kagurazaka([taskFile("gzip.ts"), "Gzip"], { done: 1 });

    const rates = await interleave(runs, {
      gzipThreads: gzip("thread"),
      gzipProcesses: gzip("process"),
      noOpThreads: noOp("thread"),
      noOpProcesses: noOp("process"),
    });
    const against = `the same with ${WORKERS} threads`;
    return [
      createLine({
        what: `gzip of ${items} texts of 1 MB, ${WORKERS} processes, ${CONCURRENCY} at once in each`,
        against,
        ours: rates.gzipProcesses,
        theirs: rates.gzipThreads,
        format: formatRate,
      }),
      createLine({
        what: `${noOps / 1000}k no-op items, ${WORKERS} processes`,
        against,
        ours: rates.noOpProcesses,
        theirs: rates.noOpThreads,
        format: formatRate,
      }),
    ];
  },
};
