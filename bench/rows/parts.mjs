import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatMs as format, formatCount } from "../lib/format.mjs";
import { createLine } from "../lib/line.mjs";
import { findFiles, makeScratch, removeScratch } from "../lib/process.mjs";
import { runMap } from "../lib/records.mjs";
import { interleave } from "../lib/statistics.mjs";

/** A finished dataset of many parts: the time to find out that there is nothing to do. */
export default {
  name: "parts",
  title: "finished parts skipped",
  async measure({ short, runs }) {
    const parts = short ? 500 : 10_000;
    const scratch = makeScratch();
    try {
      const one = await finish(join(scratch, "one"), 1, 1);
      const few = await finish(join(scratch, "few"), 100, parts / 100);
      const many = await finish(join(scratch, "many"), parts, 1);
      const times = await interleave(runs, {
        one: one.skip,
        few: few.skip,
        findFew: few.find,
        many: many.skip,
        findMany: many.find,
      });
      const lines = (from, whole, find) => {
        const what = `${formatCount(parts)} parts of ${from}`;
        const less = `${what}: the command, less the command over one part`;
        const against = "find -type f on both trees";
        return [
          createLine({ what: less, against, ours: whole - times.one, theirs: find, format, atMost: 2 }),
          createLine({
            what: `${what}: the whole command`,
            against: "the command over one part",
            ours: whole,
            theirs: times.one,
            format,
          }),
        ];
      };
      return [...lines("100 files", times.few, times.findFew), ...lines("as many files", times.many, times.findMany)];
    } finally {
      removeScratch(scratch);
    }
  },
};

/** Maps a folder of files to parts of one row each. */
async function finish(root, files, rows) {
  const [input, out, runDir] = ["in", "out", "run"].map((name) => join(root, name));
  mkdirSync(input, { recursive: true });
  const text = `${JSON.stringify({ id: 1, text: "a text of more than twenty characters" })}\n`.repeat(rows);
  for (let i = 0; i < files; i++) writeFileSync(join(input, `rows-${String(i).padStart(5, "0")}.jsonl`), text);
  // A file of one row is one slice anyway, and need not be read for it.
  const words = rows > 1 ? ["--slice-rows", "1"] : [];
  const run = (counts) => runMap("same", { in: input, out, words }, { runDir, ...counts });
  await run({ done: files * rows });
  return {
    skip: async () => (await run({ done: 0, skipped: files * rows })).wallMs,
    find: async () => (await findFiles(input)) + (await findFiles(out)),
  };
}
