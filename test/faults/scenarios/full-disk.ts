import { match, ok, strictEqual } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { doneTwice, listFiles } from "../harness/disk.js";
import type { SmallDisk } from "../harness/small-disk.js";
import type { Job } from "./jobs.js";

export interface FullDiskFigures {
  readonly finishedBefore: number;
  readonly finishedAfter: number;
}

/** Fills up while the job runs; the run stops, and with more room the same command finishes. */
export async function fillAndResume(
  job: Job,
  disk: SmallDisk,
  tree: ReadonlyMap<string, string>,
  options: { extra?: readonly string[]; stateDir?: string; roomKilobytes: number },
): Promise<FullDiskFigures> {
  const { extra = [], roomKilobytes } = options;
  const said = { extra, env: disk.env, nodeArgs: disk.nodeArgs };
  const stopped = await job.run(said);
  strictEqual(stopped.code, 7, stopped.stderr);
  const messages = stopped.stderr.match(/^error\b.*$/gm) ?? [];
  strictEqual(messages.length, 1, `one message: ${stopped.stderr}`);
  match(messages[0]!, /\[environment\].*(no space is left|ENOSPC)/);
  if (stopped.stdout !== "") {
    const { exitCode, counts } = JSON.parse(stopped.stdout) as { exitCode: number; counts: { failed: number } };
    strictEqual(exitCode, 7);
    ok(counts.failed <= 1, "a full disk is no item's fault");
  }
  for (const path of listFiles(disk.dir))
    if (path.endsWith(".json")) JSON.parse(readFileSync(join(disk.dir, path), "utf8"));
  disk.resize(roomKilobytes);
  const before = job.ledger(options.stateDir).finished();
  const { code, stderr, starts } = await job.run(said);
  strictEqual(code, 3, stderr);
  for (const key of starts) ok(!before.has(key), `${key} was recorded and is done again`);
  strictEqual([...job.tree()].join("\n"), [...tree].join("\n"));
  strictEqual(job.leftovers().join("\n"), "");
  const { outcomes } = job.ledger(options.stateDir);
  strictEqual(doneTwice(outcomes).join("\n"), "");
  return { finishedBefore: before.size, finishedAfter: job.ledger(options.stateDir).finished().size };
}
