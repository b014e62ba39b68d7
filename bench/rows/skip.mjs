import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatCount, formatMs } from "../lib/format.mjs";
import { kagurazaka, taskFile } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { findFiles, makeScratch, removeScratch } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

const FILES_PER_DIRECTORY = 100;

/** A finished tree: the time to find out that there is nothing to do. */
export default {
  name: "skip",
  title: "finished files skipped",
  async measure({ short, runs }) {
    const directories = short ? 100 : 1000;
    const files = directories * FILES_PER_DIRECTORY;
    const scratch = makeScratch();
    const [input, output, nothing, empty] = ["in", "out", "nothing", "empty"].map((name) => join(scratch, name));
    const run = (inputPath, outputPath, skipped) => async () => {
      const mixin = [`hard_shard_mode.input_path=${inputPath}`, `hard_shard_mode.output_path=${outputPath}`];
      const words = [taskFile("copy-files.ts"), "CopyFiles", "--mixin", ...mixin];
      return (await kagurazaka(words, { done: 0, skipped })).wallMs;
    };
    try {
      makeTree(input, directories, ".txt");
      makeTree(output, directories, ".txt.out");
      for (const dir of [nothing, empty]) mkdirSync(dir);
      await run(nothing, empty, 0)();
      await run(input, output, files)();
      const times = await interleave(runs, {
        whole: run(input, output, files),
        nothing: run(nothing, empty, 0),
        find: async () => (await findFiles(input)) + (await findFiles(output)),
      });
      const format = formatMs;
      return [
        createLine({
          what: `${formatCount(files)} files: the command, less the command over nothing`,
          against: "find -type f on both trees",
          ours: times.whole - times.nothing,
          theirs: times.find,
          format,
          atMost: 2,
        }),
        createLine({
          what: `${formatCount(files)} files: the whole command`,
          against: "the command over nothing",
          ours: times.whole,
          theirs: times.nothing,
          format,
        }),
      ];
    } finally {
      removeScratch(scratch);
    }
  },
};

function makeTree(root, directories, ext) {
  for (let d = 0; d < directories; d++) {
    const dir = join(root, `part-${String(d).padStart(4, "0")}`);
    mkdirSync(dir, { recursive: true });
    for (let f = 0; f < FILES_PER_DIRECTORY; f++) writeFileSync(join(dir, `file-${f}${ext}`), "x");
  }
}
