import { dirname, join } from "node:path";
import { withChecksum } from "../../base/checksum.js";
import { replaceFile } from "../../base/whole-file.js";
import { plainFolderOf } from "../prepare/state-folder.js";
import { findOtherOwner, type OwnedPaths, ownerOf, readOwner, stateFileIn, tasksIn } from "../prepare/state-owner.js";

/**
 * Makes the state directory that of this task and root, unless it is that of another task or root. Needs the lease.
 * @returns what the user should know of what was there before
 */
export function claimState(paths: OwnedPaths, task: string, run: string): string | undefined {
  const found = findOtherOwner(paths, task);
  if (found) throw found;
  const path = stateFileIn(paths.stateDir);
  const known = readOwner(paths.stateDir);
  const owner = ownerOf(paths, task);
  if (JSON.stringify(known) === JSON.stringify(owner)) return undefined;
  replaceFile(path, `${withChecksum(JSON.stringify(owner))}\n`, { temporary: `${path}.${run}.tmp` });
  if (known === undefined) return describeMixture(paths, task);
  return known === "damaged" ? `${path} was damaged; it is written anew, for ${task}` : undefined;
}

/** What an older version has mixed with results of other tasks. */
function describeMixture({ taskDir }: OwnedPaths, task: string): string | undefined {
  const plain = join(dirname(taskDir), plainFolderOf(task));
  const tasks = plain === taskDir ? [] : tasksIn(plain);
  if (!tasks.includes(task)) return undefined;
  return `an older version kept the results of ${tasks.join(" and ")} in one place, ${plain}: they are not used, ${task} has ${taskDir} now`;
}
