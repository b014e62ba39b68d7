import { importsOf, roomOf, type Sources } from "./imports.js";

/**
 * The folders of the runner, from the bottom up: folder → what it may import besides itself, `base` and `contracts`. A
 * name with a dot is one file of a folder.
 */
export const floors: Readonly<Record<string, readonly string[]>> = {
  lease: [],
  ledger: [],
  program: ["loader", "builtins"],
  worker: ["program"],
  prepare: ["program", "config", "loader", "builtins", "data"],
  plan: ["program", "ledger", "data"],
  // Chunks alone: the local execution does not know where they come from.
  dispatch: ["plan/item-chunk.ts", "plan/chunk-message.ts"],
  record: ["ledger", "lease", "plan", "prepare", "program", "loader", "data"],
  run: ["lease", "ledger", "program", "worker", "prepare", "plan", "dispatch", "record"],
  node: ["program", "worker", "prepare", "plan", "dispatch"],
  tools: ["lease", "ledger", "program", "worker", "prepare", "plan", "dispatch", "record", "run", "data"],
  /** Files beside the folders: the product without a command line. */
  ".": ["config", "loader", "program", "prepare", "record", "run", "node", "tools"],
};

const everywhere = ["base", "contracts"];

/** What changes something on disk: functions of node:fs, and files of `base`. */
const writes = /\b(?:write|append|copy|cp|link|symlink|mk|open|rm|rename|unlink|truncate|chmod|utimes)|WriteStream/;
const writers = ["src/base/whole-file.ts", "src/base/make-directory.ts"];

/** Where a file of `prepare` imports something that writes: a run that was only prepared has left nothing behind. */
export function findWrites(sources: Sources): string[] {
  return Object.entries(sources)
    .filter(([path]) => path.startsWith("src/runner/prepare/"))
    .flatMap(([path, text]) => {
      const fromNode = [...text.matchAll(/import ([^;]*) from "node:fs(?:\/promises)?"/g)].map(([, names]) => names!);
      const ours = importsOf({ [path]: text }).filter(({ to }) => writers.includes(to));
      return [...fromNode.filter((names) => writes.test(names)), ...ours.map(({ to }) => to)].map(
        (what) => `${path}: prepare writes nothing, but imports ${what}`,
      );
    });
}

/** The folder of the runner that a file is in; undefined for files elsewhere. */
const floorOf = (path: string): string | undefined => {
  const found = /^src\/runner\/(?:([^/]+)\/)?[^/]*/.exec(path);
  return found ? (found[1] ?? ".") : undefined;
};

/** Imports between the runner's folders that go up, or to a room that the folder has no business with; types count. */
export function checkFloors(sources: Sources): string[] {
  return importsOf(sources).flatMap(({ from, to, line }) => {
    const floor = floorOf(from);
    if (floor === undefined || !/^(?:src|backbones|templates|tasks)\//.test(to)) return [];
    if (!Object.hasOwn(floors, floor)) return [`${from}:${line}: the folder "${floor}" of the runner has no rule`];
    const target = floorOf(to) ?? roomOf(to);
    const mayImport = [...everywhere, ...floors[floor]!];
    const isFine = target === floor || mayImport.includes(target) || mayImport.includes(to.replace("src/runner/", ""));
    return isFine ? [] : [`${from}:${line}: ${floor} must not import ${target} (${to})`];
  });
}
