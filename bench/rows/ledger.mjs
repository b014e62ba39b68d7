import { formatCount, formatMegabytes, formatMs } from "../lib/format.mjs";
import { kagurazaka, taskFile } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { makeScratch, removeScratch } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

const GOAL_ITEMS = 10_000_000;
const GOAL_MS = 10_000;
const GOAL_BYTES = 400 * 2 ** 20;

/** A large ledger: the time and memory to load it. */
export default {
  name: "ledger",
  title: "a large ledger loaded",
  async measure({ short, runs }) {
    const items = short ? 1_000_000 : GOAL_ITEMS;
    const task = [taskFile("no-op.ts"), "NoOp", "--backbone", "inline", "--items"];
    const runDir = makeScratch();
    try {
      const mp = ["--backbone", "mp", "--num_process", "2"];
      await kagurazaka([taskFile("no-op.ts"), "NoOp", "--items", String(items), ...mp], { runDir, done: items });
      let peakBytes = 0;
      const times = await interleave(runs, {
        full: async () => {
          const result = await kagurazaka([...task, "0"], { runDir, done: 0, peak: true });
          peakBytes = Math.max(peakBytes, result.peakBytes);
          return result.wallMs;
        },
        empty: async () => (await kagurazaka([...task, "0"], { done: 0, peak: true })).wallMs,
      });
      const what = `${formatCount(items)} ledger lines`;
      const scale = items / GOAL_ITEMS;
      return [
        createLine({
          what: `${what}: the command over nothing, less the same without a ledger`,
          against: `the goal of ${formatMs(GOAL_MS * scale)}`,
          ours: times.full - times.empty,
          theirs: GOAL_MS * scale,
          format: formatMs,
          atMost: 1,
        }),
        createLine({
          what: `${what}: peak resident memory`,
          against: "the goal of 400 MB",
          ours: peakBytes,
          theirs: GOAL_BYTES,
          format: formatMegabytes,
          atMost: 1,
        }),
      ];
    } finally {
      removeScratch(runDir);
    }
  },
};
