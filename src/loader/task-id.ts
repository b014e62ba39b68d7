import { basename, extname } from "node:path";
import { KagurazakaError } from "../base/errors.js";
import type { TaskClass } from "../contracts/task.js";
import type { Exports, SelectedTask } from "./exports.js";
import { displayPath } from "./paths.js";

/**
 * `static id` or the export's name; for a default export the class's. An id that is inherited from another exported task does
 * not count: two tasks would share one ledger.
 */
export function idOf({ exportName, taskClass }: SelectedTask, exports: Exports, sourcePath: string): string {
  const id = inheritedFromExport(taskClass, exports) ? undefined : (taskClass.id as unknown);
  const plain = basename(sourcePath, extname(sourcePath));
  const className = taskClass.name === "default" || taskClass.name === "" ? plain : taskClass.name;
  const chosen = id ?? (exportName === "default" ? className : exportName);
  if (typeof chosen === "string" && isDirectoryName(chosen)) return chosen;
  const message = `the id of task "${exportName}" is ${JSON.stringify(chosen)}, which cannot name a directory`;
  const hint =
    'Write `static id = "name"` with a name of its own: no "/", no "\\", no control characters, at most 128 bytes, not starting with ".".';
  throw new KagurazakaError("not-a-task", message, { where: displayPath(sourcePath), hint });
}

function inheritedFromExport(taskClass: TaskClass, exports: Exports): boolean {
  for (let owner: unknown = taskClass; typeof owner === "function"; owner = Object.getPrototypeOf(owner)) {
    if (Object.hasOwn(owner, "id")) return owner !== taskClass && [...exports.values()].includes(owner);
  }
  return false;
}

/** The id is one segment of a path. */
function isDirectoryName(id: string): boolean {
  return id !== "" && !id.startsWith(".") && !/[/\\\x00-\x1f\x7f]/.test(id) && Buffer.byteLength(id) <= 128;
}
