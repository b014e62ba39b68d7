import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatMs } from "../lib/format.mjs";
import { kagurazaka, taskFile } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { makeScratch, removeScratch, runProcess } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

/** From the shell to the first line of process(). */
export default {
  name: "start",
  title: "start to first item, cached module",
  async measure({ short, runs }) {
    const task = taskFile("first-item.ts");
    const scratch = makeScratch();
    const stamp = join(scratch, "stamp");
    const run = (backbone) => async () => {
      const words = [task, "FirstItem", "--stamp_file", stamp, "--backbone", backbone];
      const { startedNs } = await kagurazaka(words, { done: 1 });
      return Number(BigInt(readFileSync(stamp, "utf8")) - startedNs) / 1e6;
    };
    try {
      // Compiles the task, which is not what is measured.
      await run("inline")();
      const times = await interleave(short ? runs : 3 * runs, {
        node: async () => (await runProcess([process.execPath, "-e", "0"])).wallMs,
        inline: run("inline"),
        mp: run("mp"),
      });
      const against = "node -e 0, to its end";
      return [
        createLine({ what: "inline", against, ours: times.inline, theirs: times.node, format: formatMs, atMost: 3 }),
        createLine({ what: "mp", against, ours: times.mp, theirs: times.node, format: formatMs, atMost: 4 }),
      ];
    } finally {
      removeScratch(scratch);
    }
  },
};
