import { lstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { nextTurn } from "../../base/clock.js";
import { KagurazakaError } from "../../base/errors.js";
import { OWN_DIRECTORY } from "../../base/own-directory.js";
import type { State } from "../globs/automaton.js";
import { compileFileGlob } from "../globs/globs.js";
import { SLASH } from "../globs/parse.js";
import {
  cannotList,
  createLeftOut,
  joinRelative,
  listDirectory,
  type WalkedDirectory,
  type WalkOptions,
} from "./walk.js";

export interface GlobOptions extends WalkOptions {
  /** `**` (recursive), `*`, `?`, `[…]`, `{a,b}`, `{1..9}`, `@(…)`, `!(…)` and so on; POSIX, below the root. */
  readonly pattern: string;
}

const MAX_TURN_MS = 10;

/**
 * The regular files under a root that match a pattern, in arrays of one directory each: breadth first, names sorted by
 * code point in every directory, so the order is the same on every machine. Only directories are read in which something may
 * match. Rules for symlinks, hidden names, left-out directories and errors as in `walkFiles`.
 *
 * @throws KagurazakaError `bad-value` for a pattern that is empty, absolute or has `..`; `input-root` and `generate-tasks` as `walkFiles`
 */
export async function* globFiles(options: GlobOptions): AsyncGenerator<WalkedDirectory> {
  const { root, pattern, signal, hidden = false } = options;
  checkRoot(root);
  const { patterns, automaton } = compileFileGlob(pattern, hidden);
  const leftOut = createLeftOut(options);
  const after = (state: State, name: string): State => automaton.run(state, name, true);
  const inside = (state: State, name: string): State => automaton.step(after(state, name), SLASH);

  const base = baseOf(patterns);
  if (!isWalkable(options, base, leftOut)) return;
  const waiting = [{ relDir: base.length === 0 ? "." : base.join("/"), state: base.reduce(inside, automaton.start) }];
  let turnStarted = performance.now();
  for (let read = 0; read < waiting.length; ) {
    signal?.throwIfAborted();
    const { relDir, state } = waiting[read++]!;
    const { files, directories } = listDirectory({ ...options, hidden: true }, relDir, leftOut, {
      file: (name) => after(state, name).accepts,
      directory: (name) => inside(state, name).threads.length > 0,
    });
    for (const name of directories) waiting.push({ relDir: joinRelative(relDir, name), state: inside(state, name) });
    // A queue without moving its elements at each step.
    if (read > 1024 && read > waiting.length / 2) read -= waiting.splice(0, read).length;
    if (files.length > 0) yield { relDir, names: files };
    if (performance.now() - turnStarted < MAX_TURN_MS) continue;
    await nextTurn();
    turnStarted = performance.now();
  }
  signal?.throwIfAborted();
}

function checkRoot(root: string): void {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new KagurazakaError("input-root", `the input root ${root} is not a directory`, {
    hint: "Check the input path.",
  });
}

/** The names of the directory that all that matches is in, as far as the patterns spell it out. */
function baseOf(patterns: readonly string[]): string[] {
  const [first = [], ...others] = patterns.map((pattern) => {
    const names = pattern.split("/").slice(0, -1);
    const magic = names.findIndex((name) => /[*?[\]{}()!+@|\\]/.test(name));
    return magic < 0 ? names : names.slice(0, magic);
  });
  const differs = first.findIndex((name, i) => others.some((other) => other[i] !== name));
  return differs < 0 ? first : first.slice(0, differs);
}

/** Whether a directory below the root is one that a walk would have entered. */
function isWalkable(options: GlobOptions, names: readonly string[], leftOut: (relDir: string) => boolean): boolean {
  let relDir = ".";
  for (const name of names) {
    relDir = joinRelative(relDir, name);
    if (name === OWN_DIRECTORY || leftOut(relDir)) return false;
    try {
      const stat = lstatSync(join(options.root, relDir));
      if (stat.isSymbolicLink()) options.onPassedOver?.(relDir, "a symbolic link to a directory");
      if (!stat.isDirectory()) return false;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return false;
      if (!options.onUnreadable) throw cannotList(join(options.root, relDir), error);
      options.onUnreadable(relDir, error);
      return false;
    }
  }
  return true;
}
