import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeScratch, removeScratch, runProcess } from "./process.mjs";

export const repository = fileURLToPath(new URL("../../", import.meta.url));
const BIN = join(repository, "src/bin.cjs");

export const taskFile = (name) => join(repository, "bench/tasks", name);
export const peer = (name) => join(repository, "bench/peers", name);

/**
 * Runs the command as a user does, by default in an empty state directory, and returns its `--json` with the wall time.
 * @param {readonly string[]} words
 * @param {{ runDir?: string, done?: number, skipped?: number, peak?: boolean, timeoutMs?: number,
 *   env?: Record<string, string> }} options
 *   `runDir` is kept for the next run; without it a new one is made and removed. `done`, `skipped`: counts that prove
 *   the run did what is measured.
 */
export async function kagurazaka(words, options = {}) {
  const { done, skipped, peak = false, timeoutMs, env } = options;
  const runDir = options.runDir ?? makeScratch();
  mkdirSync(runDir, { recursive: true });
  try {
    // Words after -- belong to the task.
    const end = words.includes("--") ? words.indexOf("--") : words.length;
    const flags = ["--run-dir", runDir, "--json", "--progress", "none"];
    const command = [process.execPath, BIN, ...words.slice(0, end), ...flags, ...words.slice(end)];
    const ended = await runProcess(command, {
      cwd: runDir,
      peak,
      ...(timeoutMs ? { timeoutMs } : {}),
      ...(env ? { env } : {}),
    });
    if (ended.code !== 0) throw new Error(`kagurazaka ${words.join(" ")} ended with ${ended.code}:\n${ended.stderr}`);
    const result = JSON.parse(ended.stdout);
    for (const [status, wanted] of Object.entries({ done, skipped })) {
      if (wanted !== undefined && result.counts[status] !== wanted)
        throw new Error(`kagurazaka ${words.join(" ")}: ${result.counts[status]} ${status}, not ${wanted}`);
    }
    return { ...result, wallMs: ended.wallMs, startedNs: ended.startedNs, peakBytes: ended.peakBytes };
  } finally {
    if (options.runDir === undefined) removeScratch(runDir);
  }
}
