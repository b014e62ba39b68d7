import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { KagurazakaError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import { readNames } from "../base/read-names.js";

const accepted = new Set([".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"]);
const acceptedText = [...accepted].join(" ");

/** Absolute real path of the task file. @throws KagurazakaError for every way in which it is none */
export function resolveSourceFile(file: string): string {
  const path = file.startsWith("file:") ? fileURLToPath(file) : resolve(file);
  const stat = look(statSync, path, file);
  if (stat === undefined) throw missing(file, path);
  if (stat.isDirectory()) throw directory(file, path);
  if (!stat.isFile()) throw new KagurazakaError("task-not-found", `${file} is not a regular file`, { where: file });
  const real = realpathSync(path);
  refuseOtherKinds(file, extname(real).toLowerCase());
  return real;
}

/** Undefined when nothing is there. @throws KagurazakaError without permission, for a path too long or with a NUL */
function look(stat: typeof statSync, path: string, file: string): Stats | undefined {
  try {
    return stat(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new KagurazakaError("task-not-found", `task file ${JSON.stringify(file)} cannot be reached: ${message}`, {
      where: file,
      cause,
    });
  }
}

function missing(file: string, path: string): KagurazakaError {
  const link = look(lstatSync, path, file);
  if (link?.isSymbolicLink()) {
    return new KagurazakaError("task-not-found", `${file} is a link to ${readlinkSync(path)}, which does not exist`, {
      where: file,
    });
  }
  let dir = dirname(path);
  let lost = path;
  while (!look(statSync, dir, file)?.isDirectory() && dir !== dirname(dir)) [lost, dir] = [dir, dirname(dir)];
  const what = lost === path ? "" : `: there is no directory ${lost}`;
  const near = didYouMean(basename(lost), readNames(dir));
  return new KagurazakaError("task-not-found", `no task file ${file}${what}.${near}`, {
    where: file,
    hint: "The first word of the command line is the path of a task file, or @name for a ready-made task.",
  });
}

function directory(file: string, path: string): KagurazakaError {
  const inside = readNames(path).filter((name) => accepted.has(extname(name)) && !name.endsWith(".d.ts"));
  const hint =
    inside.length === 0
      ? `There is no task file (${acceptedText}) in it.`
      : `Name the file: ${inside
          .slice(0, 5)
          .map((name) => join(file, name))
          .join(", ")}${inside.length > 5 ? ", …" : ""}`;
  return new KagurazakaError("task-not-found", `${file} is a directory, not a task file`, { where: file, hint });
}

/** Extension → what the file is, and what to do. */
const otherKinds: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ".py": [
    "is a Python task",
    'Port it to TypeScript: the class and its modes keep their names; "kagurazaka init" makes a start.',
  ],
  ".yaml": [
    "is configuration, not a task file",
    "The task file comes first, configuration behind --cfg or --mixin-cfg.",
  ],
  ".tsx": ["has JSX, which tasks do not have", "Rename it to .ts or .js."],
};

function refuseOtherKinds(file: string, extension: string): void {
  if (accepted.has(extension)) return;
  const kind = extension === ".yml" ? ".yaml" : extension === ".jsx" ? ".tsx" : extension;
  const other = Object.hasOwn(otherKinds, kind) ? otherKinds[kind] : undefined;
  const [what, hint] = other ?? ["is not a task file", `A task file is TypeScript or JavaScript: ${acceptedText}`];
  throw new KagurazakaError("not-a-task", `${file} ${what}`, { where: file, hint });
}
