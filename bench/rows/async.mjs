import { formatMs } from "../lib/format.mjs";
import { kagurazaka, peer, taskFile } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { runJson } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

const MS = 50;
const CONCURRENCY = 64;

/** Items that wait. A slot has to be refilled at once, independently of the message that an item came in. */
export default {
  name: "async",
  title: `async items of ${MS} ms, concurrency ${CONCURRENCY}`,
  async measure({ short, runs }) {
    const rounds = short ? 20 : 200;
    const task = taskFile("sleep.ts");
    const itemsOf = (processes) => rounds * processes * CONCURRENCY;
    const run = (processes) => async () => {
      const items = itemsOf(processes);
      const backbone = [
        "--backbone",
        "mp",
        "--num_process",
        String(processes),
        "--concurrency",
        String(processes * CONCURRENCY),
      ];
      const result = await kagurazaka([task, "Sleep", "--items", String(items), "--ms", String(MS), ...backbone], {
        done: items,
      });
      return result.elapsedMs;
    };
    await kagurazaka([task, "Sleep"], { done: 1 });

    const times = await interleave(runs, {
      one: run(1),
      two: run(2),
      loop: async () =>
        (await runJson([process.execPath, peer("sleep-loop.mjs"), String(itemsOf(1)), String(CONCURRENCY), String(MS)]))
          .elapsedMs,
    });

    const idealMs = rounds * MS;
    // Shares of the ideal: ideal time over measured time, so that more is better.
    const share = (what, ourMs, goal) => ({
      ...createLine({ what, against: "the ideal", ours: idealMs, theirs: ourMs, format: formatMs, ...goal }),
      ours: formatMs(ourMs),
      theirs: formatMs(idealMs),
    });
    return [
      share(`mp, 1 thread, ${itemsOf(1)} items: share of the ideal`, times.one, { atLeast: 0.97 }),
      share(`mp, 2 threads, ${itemsOf(2)} items: share of the ideal`, times.two, { atLeast: 0.97 }),
      share(`bare loop of ${CONCURRENCY} timers: share of the ideal`, times.loop, {}),
    ];
  },
};
