import { tmpdir } from "node:os";
import { formatCount, formatMs, formatRate } from "../lib/format.mjs";
import { kagurazaka, taskFile } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { makeScratch, removeScratch } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

const NO_CHECKPOINTS = `--import ${new URL("../lib/no-checkpoints.mjs", import.meta.url).href}`;

/** The cost of surviving a power loss: of `--durable`, and of the checkpoints of all other runs. */
export default {
  name: "durable",
  title: "2 KB files that survive a power loss",
  async measure({ short, runs }) {
    const run = async (count, more = [], env = {}) => {
      const scratch = makeScratch(tmpdir());
      try {
        const words = [taskFile("write-files.ts"), "Atomic", "--items", String(count), ...more];
        const place = [
          "--mixin",
          `hard_shard_mode.output_path=${scratch}/out`,
          "--backbone",
          "mp",
          "--num_process",
          "2",
        ];
        return await kagurazaka([...words, ...place], { runDir: `${scratch}/state`, done: count, env });
      } finally {
        removeScratch(scratch);
      }
    };
    // The first run compiles the task, which is not what is measured.
    const first = await run(short ? 4000 : 20_000);
    const items = short ? 400 : 5000;
    const times = await interleave(runs, {
      usual: async () => (await run(items)).elapsedMs,
      durable: async () => (await run(items, ["--durable"])).elapsedMs,
    });
    const what = `disk, mp, 2 threads, ${formatCount(items)} files`;
    // As many files as take twenty seconds, so that there are checkpoints during the run and at its end.
    const seconds = short ? 7 : 20;
    const many = Math.round((seconds * 1000 * (short ? 4000 : 20_000)) / first.elapsedMs);
    const checkpoints = await interleave(short ? 1 : Math.min(3, runs), {
      with: async () => (await run(many)).wallMs,
      without: async () => (await run(many, [], { NODE_OPTIONS: NO_CHECKPOINTS })).wallMs,
    });
    return [
      createLine({
        what: `${what}, --durable: time per file`,
        against: "the same without",
        ours: times.durable,
        theirs: times.usual,
        format: (ms) => `${((ms * 1000) / items).toFixed(0)} µs`,
      }),
      createLine({
        what: `${what}, --durable: files per second`,
        against: "the same without",
        ours: (items * 1000) / times.durable,
        theirs: (items * 1000) / times.usual,
        format: formatRate,
      }),
      createLine({
        what: `disk, mp, 2 threads, ${formatCount(many)} files, checkpoints: the command`,
        against: "the same without checkpoints",
        ours: checkpoints.with,
        theirs: checkpoints.without,
        format: formatMs,
      }),
    ];
  },
};
