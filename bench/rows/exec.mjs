import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { formatRate } from "../lib/format.mjs";
import { kagurazaka } from "../lib/kagurazaka.mjs";
import { createLine, missingLine } from "../lib/line.mjs";
import { makeScratch, removeScratch, runProcess } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

const JOBS = String(availableParallelism());

/** Runs `true` once per file: the cost of starting and recording a program. Times whole commands. */
export default {
  name: "exec",
  title: "a program per file",
  async measure({ short, runs }) {
    const files = short ? 300 : 2000;
    const scratch = makeScratch();
    const dir = join(scratch, "in");
    const list = join(scratch, "list");
    mkdirSync(dir);
    const names = Array.from({ length: files }, (_, i) => join(dir, `f${String(i).padStart(5, "0")}`));
    for (const name of names) writeFileSync(name, "");
    writeFileSync(list, `${names.join("\n")}\n`);
    const rate = (wallMs) => (files * 1000) / wallMs;
    const ours = (flags) => async () =>
      rate((await kagurazaka(["@exec", "--in", dir, ...flags, "--", "true", "{}"], { done: files })).wallMs);
    const peers = {
      "GNU parallel": { command: ["parallel", "--will-cite", "-j", JOBS, "-a", list, "true", "{}"], atLeast: 3 },
      "xargs -P": { command: ["xargs", "-a", list, "-d", "\n", "-n", "1", "-P", JOBS, "true"] },
    };
    const installed = {};
    for (const [name, peer] of Object.entries(peers)) if (await isInstalled(peer.command[0])) installed[name] = peer;
    try {
      const rates = await interleave(runs, {
        ours: ours(["--concurrency", JOBS]),
        ...Object.fromEntries(
          Object.entries(installed).map(([name, { command }]) => [
            name,
            async () => rate((await runProcess(command, { output: "ignore", env: { PARALLEL_HOME: scratch } })).wallMs),
          ]),
        ),
      });
      const what = `@exec -- true {}, ${files} files, ${JOBS} at once`;
      return Object.entries(peers).map(([against, { atLeast }]) => {
        if (!installed[against]) return missingLine(what, against);
        const line = { what, against, ours: rates.ours, theirs: rates[against], format: formatRate };
        return createLine(atLeast === undefined ? line : { ...line, atLeast });
      });
    } finally {
      removeScratch(scratch);
    }
  },
};

async function isInstalled(program) {
  try {
    return (await runProcess([program, "--version"], { output: "ignore" })).code === 0;
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}
