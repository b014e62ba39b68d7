import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { listingSides, rateLine } from "../lib/listing.mjs";
import { makeScratch, removeScratch } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

/** A list of paths, one a line: the cost beyond splitting lines. */
export default {
  name: "lines",
  title: "lines listed",
  async measure({ short, runs }) {
    const items = short ? 200_000 : 1_000_000;
    const scratch = makeScratch();
    try {
      const [file, empty] = [join(scratch, "list.txt"), join(scratch, "empty.txt")];
      writeFileSync(file, Array.from({ length: items }, (_, i) => `part-${i >> 10}/file-${i}.txt\n`).join(""));
      writeFileSync(empty, "");
      const { alone, mode, plan } = listingSides(items);
      const whole = (linesPath) => ({ use: "InputByLines", linesPath, as: "text", keyField: "line" });
      const rates = await interleave(runs, {
        split: alone("split-lines.mjs", file),
        text: mode("InputByLines", "linesPath", file, { as: "text" }),
        path: mode("InputByLines", "linesPath", file),
        plan: plan(whole(file), whole(empty)),
      });
      const splitting = "reading and splitting alone";
      return [
        rateLine(items, "lines as texts, listed by the mode", rates.text, splitting, rates.split, { atLeast: 0.9 }),
        rateLine(items, "lines as paths, listed by the mode", rates.path, splitting, rates.split),
        rateLine(items, "lines as texts, named and planned (--dry-run)", rates.plan, splitting, rates.split),
      ];
    } finally {
      removeScratch(scratch);
    }
  },
};
