import { calibrate } from "../lib/burn.mjs";
import { formatRate } from "../lib/format.mjs";
import { kagurazaka, peer, taskFile } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { runJson } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

const WORKERS = 2;

/** Items that compute: two workers against twice the rate of one core, and against two bare loops at once. */
export default {
  name: "cpu",
  title: "CPU-bound items of 1 to 100 ms",
  async measure({ short, runs }) {
    const items = short ? 24 : 400;
    const roundsPerMs = calibrate();
    const task = taskFile("burn.ts");
    const loop = async (first, stride) =>
      (await runJson([process.execPath, peer("burn-loop.mjs"), items, roundsPerMs, first, stride].map(String)))
        .elapsedMs;
    await kagurazaka([task, "Burn", "--rounds_per_ms", "1"], { done: 1 });

    const rates = await interleave(runs, {
      mp: async () => {
        const words = [task, "Burn", "--items", String(items), "--rounds_per_ms", String(roundsPerMs)];
        const backbone = ["--backbone", "mp", "--num_process", String(WORKERS)];
        return (items * 1000) / (await kagurazaka([...words, ...backbone], { done: items })).elapsedMs;
      },
      one: async () => (items * 1000) / (await loop(0, 1)),
      // Each loop gets every other item: the most even split.
      both: async () => (items * 1000) / Math.max(...(await Promise.all([loop(0, 2), loop(1, 2)]))),
    });

    const what = `mp, ${WORKERS} threads, ${items} items`;
    return [
      createLine({
        what,
        against: "twice one bare loop",
        ours: rates.mp,
        theirs: 2 * rates.one,
        format: formatRate,
        atLeast: 0.95,
      }),
      createLine({
        what: "two bare loops at once, half of the items each",
        against: "twice one bare loop",
        ours: rates.both,
        theirs: 2 * rates.one,
        format: formatRate,
      }),
    ];
  },
};
