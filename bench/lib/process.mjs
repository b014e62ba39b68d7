import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PEAK = fileURLToPath(new URL("peak.cjs", import.meta.url));

/** Running process groups, to be killed when the bench is interrupted. */
const running = new Set();
const directories = new Set();

/**
 * Runs a command to its end, in a process group of its own.
 * @param {readonly string[]} command
 * @param {{ cwd?: string, env?: Record<string, string>, timeoutMs?: number, peak?: boolean, output?: "keep" | "ignore" }} options
 *   `timeoutMs` ends the whole group; `peak` measures the memory of a node process; output "ignore" is /dev/null.
 * @returns {Promise<{ code: number | null, wallMs: number, startedNs: bigint, stdout: string, stderr: string, peakBytes: number }>}
 */
export async function runProcess(command, options = {}) {
  const { cwd, env = {}, timeoutMs = 300_000, peak = false, output = "keep" } = options;
  const [file, ...args] = peak ? [command[0], "--require", PEAK, ...command.slice(1)] : command;
  const peakFile = peak ? join(makeScratch(), "peak") : undefined;
  const pipe = output === "keep" ? "pipe" : "ignore";
  const startedNs = process.hrtime.bigint();
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, ...env, ...(peakFile ? { BENCH_PEAK_FILE: peakFile } : {}) },
    stdio: ["ignore", pipe, pipe],
    detached: true,
  });
  running.add(child);
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"]) {
    child[stream]?.setEncoding("utf8").on("data", (part) => {
      text[stream] += part;
    });
  }
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, timeoutMs);
  try {
    let wallMs = 0;
    child.once("exit", () => {
      wallMs = Number(process.hrtime.bigint() - startedNs) / 1e6;
    });
    const code = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (timedOut) throw new Error(`${command.join(" ")} took longer than ${timeoutMs / 1000} s`);
    return { code, wallMs, startedNs, ...text, peakBytes: peakFile ? Number(readFileSync(peakFile, "utf8")) : 0 };
  } finally {
    clearTimeout(timer);
    running.delete(child);
    if (peakFile) removeScratch(join(peakFile, ".."));
  }
}

/** A script of ours that prints one line of JSON. */
export async function runJson(command, options) {
  const done = await runProcess(command, options);
  if (done.code !== 0) throw new Error(`${command.join(" ")} ended with ${done.code}:\n${done.stderr}`);
  return { ...JSON.parse(done.stdout), wallMs: done.wallMs };
}

/** The time of `find`, in ms. */
export async function findFiles(root) {
  const { code, wallMs } = await runProcess(["find", root, "-type", "f"], { output: "ignore" });
  if (code !== 0) throw new Error(`find ended with ${code}`);
  return wallMs;
}

/** Makes a directory, which is removed at the end of the bench at the latest. */
export function makeScratch(parent = tmpdir()) {
  const dir = mkdtempSync(join(parent, "kagurazaka-bench-"));
  directories.add(dir);
  return dir;
}

export function removeScratch(dir) {
  rmSync(dir, { recursive: true, force: true });
  directories.delete(dir);
}

/** Kills running processes and removes temporary files. May be called at any moment, and twice. */
export function cleanUp() {
  for (const child of running) killGroup(child);
  for (const dir of [...directories]) removeScratch(dir);
}

function killGroup(child) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group has ended by itself.
  }
}
