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

interface Code {
  readonly moduleHash: string;
  readonly files: Readonly<Record<string, string>>;
  readonly sourcePath: string;
}

/** How the code of a task on this node differs from the coordinator's; undefined where it does not. */
export function codeDrift(theirs: FleetTask, ours: Code): string | undefined {
  if (theirs.moduleHash === ours.moduleHash) return undefined;
  const names = [...new Set([...Object.keys(theirs.files), ...Object.keys(ours.files)])].sort();
  const differing = names.filter((name) => theirs.files[name] !== ours.files[name]);
  const [first] = differing;
  const more = differing.length > 1 ? ` and ${differing.length - 1} more` : "";
  const what =
    first === undefined
      ? "a package that it imports has another version here"
      : ours.files[first] === undefined
        ? `${first} is missing here${more}`
        : theirs.files[first] === undefined
          ? `${first} is only here${more}`
          : `${first} differs${more}`;
  return `the code of ${theirs.id} on this node (${ours.sourcePath}) is not the coordinator's: ${what}`;
}

/**
 * The output roots of this node must be those of the run: each has the staging directory that the coordinator made, and the same
 * `root-id`.
 */
export async function checkSite({ shards, task }: FleetJob, { shards: paths }: PreparedRun): Promise<void> {
  if (shards.length !== paths.length)
    throw new KagurazakaError("input-root", `the run has ${shards.length} shards, this node has ${paths.length}`);
  for (const [i, { rootId, staging }] of shards.entries()) {
    const { stateDir, outputRoot, base } = paths[i]!;
    if (outputRoot === null) {
      makeOwnDirectory(join(base, staging));
      continue;
    }
    const file = join(stateDir, "root-id");
    const isOther = (await appears(join(base, staging))) === false || (existsSync(file) && readOwn(file).trim() !== rootId);
    if (!isOther) continue;
    const message = `the output root ${outputRoot} on this node is not the directory that the run of ${task.id} writes to`;
    const hint = "Mount the coordinator's output root on this node, and give its path here with --out.";
    throw new KagurazakaError("output-root", message, { hint });
  }
}

/** The paths on this machine. Mount points may differ from the coordinator's, the directories must be the same. */
export const siteOf = ({ program, shards }: PreparedRun): WorkerSite => ({
  taskUrl: program.url,
  shards: shards.map(({ base }, i) => ({ root: program.roots[i], base })),
});

async function appears(path: string): Promise<boolean> {
  for (const deadline = performance.now() + VISIBLE_WITHIN_MS; ; await setTimeout(100)) {
    if (existsSync(path)) return true;
    if (performance.now() > deadline) return false;
  }
}
