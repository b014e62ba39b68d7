import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { formatCount } from "../lib/format.mjs";
import { kagurazaka, taskFile } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { makeScratch, removeScratch } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

const places = [
  { name: "tmpfs", dir: "/dev/shm", atMost: 2.5 },
  { name: "disk", dir: tmpdir(), atMost: 1.3 },
];

/** Small outputs: the cost of atomic publication. */
export default {
  name: "publication",
  title: "atomic publication of 2 KB files",
  async measure({ short, runs }) {
    const items = short ? 2000 : 50_000;
    const lines = [];
    for (const { name, dir, atMost } of places) {
      if (!existsSync(dir)) {
        lines.push(
          createLine({
            what: `${name}: there is no ${dir} here`,
            against: "",
            ours: Number.NaN,
            theirs: 1,
            format: () => "–",
          }),
        );
        continue;
      }
      const run =
        (task, count = items) =>
        async () => {
          const scratch = makeScratch(dir);
          try {
            const place = ["--mixin", `hard_shard_mode.output_path=${scratch}/out`];
            const words = [taskFile("write-files.ts"), task, "--items", String(count), ...place];
            const backbone = ["--backbone", "mp", "--num_process", "2"];
            return (await kagurazaka([...words, ...backbone], { runDir: `${scratch}/state`, done: count })).elapsedMs;
          } finally {
            removeScratch(scratch);
          }
        };
      // The first run compiles the task, which is not what is measured.
      await run("Atomic", 1)();
      const times = await interleave(runs, { atomic: run("Atomic"), inPlace: run("InPlace") });
      lines.push(
        createLine({
          what: `${name}, mp, 2 threads, ${formatCount(items)} files: time per file`,
          against: "the same with atomic: false",
          ours: times.atomic,
          theirs: times.inPlace,
          format: (ms) => `${((ms * 1000) / items).toFixed(1)} µs`,
          atMost,
        }),
      );
    }
    return lines;
  },
};
