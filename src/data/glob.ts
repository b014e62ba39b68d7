import { lstatSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { KagurazakaError } from "../base/errors.js";
import { OWN_DIRECTORY } from "../base/own-directory.js";
import { createGate, createSortedFileSystem } from "./glob-file-system.js";
import { cannotList, createLeftOut, type WalkedDirectory, type WalkOptions } from "./walk.js";

export interface GlobOptions extends WalkOptions {
  /** fast-glob's syntax: `**` (recursive), `*`, `?`, `[…]`, `{a,b}`, `@(…)`; POSIX, below the root. */
  readonly pattern: string;
}

/**
 * The regular files under a root that match a pattern, in arrays of one directory each: breadth first, names sorted by
 * code point in every directory, so the order is the same on every machine. Rules for symlinks, hidden names, left-out
 * directories and errors as in `walkFiles`. Braces that split the pattern at its base (`{a,a/b}/*`) keep a set of what was
 * found; otherwise memory is that of the largest directory.
 *
 * @throws KagurazakaError `bad-value` for a pattern that is empty, absolute or has `..`; `input-root` and `generate-tasks` as `walkFiles`
 */
export async function* globFiles(options: GlobOptions): AsyncGenerator<WalkedDirectory> {
  const { root, pattern, signal } = options;
  checkRoot(root);
  const { default: glob } = await import("fast-glob");
  const shared = { cwd: root, dot: options.hidden ?? false, followSymbolicLinks: false, unique: false } as const;
  const tasks = pattern === "" ? [] : glob.generateTasks(spellOutQuestionMarks(pattern, shared.dot), shared);
  const parts = tasks.flatMap((task) => [task.base, ...task.positive]);
  checkPattern(pattern, parts);
  const isReachable = createReachable(options);
  const seen = tasks.length > 1 ? new Set<string>() : undefined;

  for (const task of tasks) {
    const gate = createGate();
    // One directory at a time: with several at once the order would depend on which of them is read first.
    const stream = glob.stream(task.patterns, {
      ...shared,
      concurrency: 1,
      fs: createSortedFileSystem(options, gate),
    }) as Readable;
    gate.watch(stream);
    let directory: WalkedDirectory = { relDir: ".", names: [] };
    try {
      for await (const found of stream as AsyncIterable<string>) {
        gate.open();
        signal?.throwIfAborted();
        const path = found.startsWith("./") ? found.slice(2) : found;
        const relDir = dirname(path);
        if (!isReachable(relDir) || seen?.has(path)) continue;
        seen?.add(path);
        if (relDir !== directory.relDir) {
          if (directory.names.length > 0) yield directory;
          directory = { relDir, names: [] };
        }
        directory.names.push(relDir === "." ? path : path.slice(relDir.length + 1));
      }
    } catch (error) {
      if (signal?.aborted || KagurazakaError.is(error)) throw error;
      throw cannotList((error as NodeJS.ErrnoException).path ?? root, error);
    }
    signal?.throwIfAborted();
    if (directory.names.length > 0) yield directory;
  }
}

/** fast-glob takes `a?` in `a?/*.txt` for the plain name of a directory, but understands brackets. */
function spellOutQuestionMarks(pattern: string, hidden: boolean): string {
  return pattern.replace(/\\.|\[[^\]]*\]|\?(?!\()/g, (part, at: number) => {
    if (part !== "?") return part;
    return hidden || (at > 0 && pattern[at - 1] !== "/") ? "[^/]" : "[^./]";
  });
}

function checkRoot(root: string): void {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new KagurazakaError("input-root", `the input root ${root} is not a directory`, {
    hint: "Check the input path.",
  });
}

function checkPattern(pattern: string, parts: readonly string[]): void {
  const leaves = parts.some((part) => part.startsWith("/") || part.split("/").includes(".."));
  if (parts.length > 0 && !leaves) return;
  const why = leaves ? "leads out of the input root" : "matches nothing";
  throw new KagurazakaError("bad-value", `the glob pattern ${JSON.stringify(pattern)} ${why}`, {
    hint: "Write it relative to the input root and without `..`, e.g. **/*.png.",
  });
}

/** A pattern may name directories that the walk would not have entered: `link/*.txt`, `.kagurazaka/*`. */
function createReachable(options: GlobOptions): (relDir: string) => boolean {
  const leftOut = createLeftOut(options);
  let last = ".";
  let answer = true;
  const mayEnter = (relDir: string, name: string): boolean =>
    name !== OWN_DIRECTORY && !leftOut(relDir) && !lstatSync(join(options.root, relDir)).isSymbolicLink();
  return (relDir) => {
    if (relDir === last) return answer;
    const steps = relDir === "." ? [] : relDir.split("/");
    last = relDir;
    answer = steps.every((name, i) => mayEnter(steps.slice(0, i + 1).join("/"), name));
    return answer;
  };
}
