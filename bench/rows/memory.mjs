import { formatCount, formatMegabytes } from "../lib/format.mjs";
import { kagurazaka, taskFile } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { interleave } from "../lib/statistics.mjs";

const GOAL_BYTES = 300 * 2 ** 20;

/** Memory does not grow with the number of items. */
export default {
  name: "memory",
  title: "peak resident memory over generated items",
  async measure({ short, runs }) {
    const items = short ? 2_000_000 : 10_000_000;
    const run = (count) => async () => {
      const words = [taskFile("no-op.ts"), "NoOp", "--items", String(count), "--backbone", "mp", "--num_process", "2"];
      return (await kagurazaka(words, { done: count, peak: true })).peakBytes;
    };
    const peaks = await interleave(short ? 1 : runs, { many: run(items), few: run(items / 10) });
    const what = `mp, 2 threads, ${formatCount(items)} items`;
    const line = { what, ours: peaks.many, format: formatMegabytes };
    return [
      createLine({ ...line, against: "the goal of 300 MB", theirs: GOAL_BYTES, atMost: 1 }),
      createLine({ ...line, against: `${formatCount(items / 10)} items`, theirs: peaks.few, atMost: 1.15 }),
    ];
  },
};
