import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { KagurazakaError } from "../../base/errors.js";
import { makeOwnDirectory } from "../../base/make-directory.js";
import { readOwn } from "../../base/own-file.js";
import type { FleetJob, FleetTask } from "../../contracts/fleet.js";
import type { WorkerSite } from "../../contracts/wire.js";
import type { PreparedRun } from "../prepare/prepared-run.js";

/** How long a network file system may take to show what another machine has made. */
const VISIBLE_WITHIN_MS = 5000;

/** The code of the task as this node has it. */
export interface NodeTask {
  readonly id: string;
  readonly moduleHash: string;
  readonly fileHashes: Readonly<Record<string, string>>;
  readonly sourcePath: string;
}

/** A node must run the code that the coordinator has loaded. */
export function checkCode(theirs: FleetTask, { moduleHash, fileHashes, sourcePath }: NodeTask): void {
  if (theirs.moduleHash === moduleHash) return;
  const names = [...new Set([...Object.keys(theirs.files), ...Object.keys(fileHashes)])].sort();
  const [first, ...more] = names.filter((name) => theirs.files[name] !== fileHashes[name]);
  const what =
    first === undefined
      ? "a package that it imports has another version here"
      : `${first} ${Object.hasOwn(fileHashes, first) ? (Object.hasOwn(theirs.files, first) ? "differs" : "is only here") : "is missing here"}${more.length > 0 ? ` (and ${more.length} more)` : ""}`;
  const message = `the code of ${theirs.id} differs on this node (${sourcePath}) from the coordinator's: ${what}`;
  const hint = "Bring both to the same version and start the node again, or start it with --allow-code-drift.";
  throw new KagurazakaError("task-load", message, { hint });
}

/**
 * The output roots of this node must be those of the run: each has the staging directory that the coordinator made, and the same
 * `root-id`. @returns directories that were made for the run
 */
export async function checkSite({ shards, task }: FleetJob, { shards: paths }: PreparedRun): Promise<string[]> {
  const made: string[] = [];
  if (shards.length !== paths.length)
    throw new KagurazakaError("input-root", `the run has ${shards.length} shards, this node has ${paths.length}`);
  for (const [i, { rootId, staging }] of shards.entries()) {
    const { stateDir, outputRoot, base } = paths[i]!;
    if (outputRoot === null) {
      const dir = join(base, staging);
      if (!existsSync(dir)) made.push(dir);
      makeOwnDirectory(dir);
      continue;
    }
    const file = join(stateDir, "root-id");
    const isOther =
      (await appears(join(base, staging))) === false || (existsSync(file) && readOwn(file).trim() !== rootId);
    if (!isOther) continue;
    const message = `the output root ${outputRoot} on this node is not the directory of the run of ${task.id}`;
    const hint = "Mount the coordinator's output root on this node, and give its path here with --out.";
    throw new KagurazakaError("output-root", message, { hint });
  }
  return made;
}

/** The paths on this machine. Mount points may differ from the coordinator's, the directories must be the same. */
export const siteOf = ({ program, shards }: PreparedRun): WorkerSite => ({
  taskUrl: program.url,
  moduleUrl: program.moduleUrl,
  shards: shards.map(({ base }, i) => ({ root: program.roots[i], base })),
});

async function appears(path: string): Promise<boolean> {
  for (const deadline = performance.now() + VISIBLE_WITHIN_MS; ; await setTimeout(100)) {
    if (existsSync(path)) return true;
    if (performance.now() > deadline) return false;
  }
}
