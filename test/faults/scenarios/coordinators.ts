import { match, ok, strictEqual } from "node:assert";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, type Started, until } from "../harness/command.js";
import { doneTwice, readNotes } from "../harness/disk.js";
import type { Job } from "./jobs.js";

/** Long enough to be found at work. */
export const slow = { FAULTS_SLEEP_MS: "300" };

export async function atWork(command: Started & { notes: string }, items = 4): Promise<void> {
  await until("a few items have begun", () => readNotes(command.notes).length >= items || !command.alive);
  ok(command.alive, command.stderrSoFar);
}

export function checkRefused({ code, stderr, stdout }: Ended, holderPid: number): void {
  strictEqual(code, 6, stderr);
  match(stderr, /\[root-in-use\]/);
  ok(stderr.includes(`pid ${holderPid}`), `the holder is named: ${stderr}`);
  strictEqual(stdout, "");
}

export function checkWhole(job: Job, tree: ReadonlyMap<string, string>): void {
  strictEqual([...job.tree()].join("\n"), [...tree].join("\n"));
  strictEqual(job.leftovers().join("\n"), "");
  strictEqual(doneTwice(job.ledger().outcomes).join("\n"), "");
}

export const mayRename: boolean = (() => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    execFileSync("unshare", ["--uts", "hostname", "elsewhere"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** The command under another host name: for the lease, another machine. */
export const elsewhere = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh"];

/** Bytes of every segment of the ledger, by name. */
export function segments(job: Job): Map<string, string> {
  const dir = join(job.stateDir, "ledger");
  const names = existsSync(dir) ? readdirSync(dir).sort() : [];
  return new Map(names.map((name) => [name, readFileSync(join(dir, name), "utf8")]));
}
