import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import { makeOwnDirectory } from "../../base/make-directory.js";
import type { OutputFile } from "../../contracts/item.js";
import type { FinishRule, OutputEntry } from "../../contracts/modes.js";
import type { RootGuard } from "../program/safe-path.js";

/** Directories below an output root whose own names are synced; another worker may have created them without a sync. */
const syncedDirectories = new Set<string>();
const MAX_SYNCED = 10_000;

const NO_INPUTS = (): readonly string[] => [];

/**
 * Publishes the outputs of one slot. The slot has its own staging directory, reused for every item; finished outputs are
 * renamed into place. Staging lies below the output root, so a rename never crosses a file system.
 *
 *   <root>/.kagurazaka/staging/<run>/<worker>-<slot>/a.json   --rename-->   <root>/sub/a.json
 *
 * Everything here is synchronous: two system calls per item cost less than one trip to the thread pool.
 */
export class Publication {
  readonly #dir: string;
  readonly #root: string;
  readonly #guard: RootGuard;
  readonly #options: { atomic: boolean; durable: boolean; finish: FinishRule | null };
  #ready = false;
  #entries: readonly OutputEntry[] = [];

  constructor(
    dir: string,
    root: string,
    guard: RootGuard,
    options: { atomic: boolean; durable: boolean; finish: FinishRule | null },
  ) {
    this.#dir = dir;
    this.#root = root;
    this.#guard = guard;
    this.#options = options;
  }

  /**
   * The staging paths of the item: one object per declared output, by field name. Refuses unsafe paths.
   * @param inputs the item's input files, which no output may replace
   */
  begin(entries: readonly OutputEntry[], inputs = NO_INPUTS): Record<string, OutputFile> {
    for (const { relPath, type } of entries) {
      if (type === "directory") this.#guard.checkDirectory(relPath);
      else this.#guard.checkParentOf(relPath);
      this.#guard.checkTarget(relPath, inputs, !this.#options.atomic);
    }
    if (!this.#ready) this.#prepare();
    this.#entries = entries;
    const directory = entries.find((entry) => entry.type === "directory");
    const files = this.#files(entries, (entry) => this.#stagingPath(entry, directory));
    if (!this.#options.atomic) for (const file of Object.values(files)) makeOwnDirectory(dirname(file.finalPath));
    if (directory) makeOwnDirectory(files[directory.field]!.path);
    return files;
  }

  /** The same objects with the final `path`. */
  finalFiles(entries: readonly OutputEntry[]): Record<string, OutputFile> {
    return this.#files(entries, (entry) => join(this.#root, entry.relPath));
  }

  #files(entries: readonly OutputEntry[], pathOf: (entry: OutputEntry) => string): Record<string, OutputFile> {
    const files: Record<string, OutputFile> = {};
    for (const entry of entries) {
      files[entry.field] = {
        path: pathOf(entry),
        finalPath: join(this.#root, entry.relPath),
        relDir: dirname(entry.relPath),
        fileName: basename(entry.relPath),
      };
    }
    return files;
  }

  #stagingPath(entry: OutputEntry, directory: OutputEntry | undefined): string {
    if (!this.#options.atomic) return join(this.#root, entry.relPath);
    if (directory && entry !== directory)
      return join(this.#dir, basename(directory.relPath), entry.relPath.slice(directory.relPath.length + 1));
    return join(this.#dir, basename(entry.relPath));
  }

  #prepare(): void {
    if (this.#options.atomic) {
      rmSync(this.#dir, { recursive: true, force: true });
      // The run created the parent. If it is gone, the root is gone, and neither is created again.
      mkdirSync(this.#dir);
    }
    this.#ready = true;
  }

  /** Checks the declared outputs and renames them into place; the output that the finish check looks at goes last. */
  publish(): void {
    const { minBytes, last } = this.#demands();
    for (const entry of this.#entries) this.#checkWritten(entry, minBytes(entry));
    if (!this.#options.atomic) return this.#syncInPlace();
    const directory = this.#entries.find((entry) => entry.type === "directory");
    if (directory) this.#publishDirectory(directory, last);
    else this.#publishFiles(last);
  }

  /** Removes the files of a failed item. */
  discard(): void {
    this.#entries = [];
    if (!this.#options.atomic || !this.#ready) return;
    // If this fails, the next item gets a new directory.
    this.#ready = false;
    for (const name of readdirSync(this.#dir)) rmSync(join(this.#dir, name), { recursive: true, force: true });
    this.#ready = true;
  }

  #demands(): { minBytes: (entry: OutputEntry) => number; last: Set<OutputEntry> } {
    const finish = this.#options.finish;
    if (finish?.by !== "files") return { minBytes: () => 0, last: new Set() };
    const last = new Set(finish.select(this.#entries));
    return { minBytes: (entry) => (last.has(entry) ? finish.minBytes : 0), last };
  }

  #checkWritten(entry: OutputEntry, minBytes: number): void {
    const directory = this.#entries.find((one) => one.type === "directory");
    const stat = statSync(this.#stagingPath(entry, directory), { throwIfNoEntry: false });
    if (!stat) {
      throw new KagurazakaError(
        "no-output",
        `the task returned without writing ${entry.field} (${JSON.stringify(basename(entry.relPath))})`,
        {
          hint: `Write ${entry.field}.path, or return ctx.filtered("why") when there is nothing to write.`,
        },
      );
    }
    if (entry.type === "file" && stat.isDirectory()) {
      throw new KagurazakaError(
        "no-output",
        `${entry.field} should be a file, but the task made a directory of that name`,
      );
    }
    if (stat.size < minBytes) {
      throw new KagurazakaError(
        "no-output",
        `${entry.field} has ${stat.size} bytes; the finish check needs at least ${minBytes}`,
      );
    }
  }

  #publishFiles(last: Set<OutputEntry>): void {
    const lastNames = new Set([...last].map((entry) => basename(entry.relPath)));
    const targetDir = dirname(this.#entries[0]?.relPath ?? "");
    // A side file beside an output is published with it, before the output that proves completion.
    const names = this.#entries.length === 0 ? [] : this.#namesToMove(targetDir);
    names.sort((a, b) => Number(lastNames.has(a)) - Number(lastNames.has(b)));
    this.#moveAll(names, this.#dir, targetDir, (name) => lastNames.has(name));
  }

  /** What the item has left in staging, as paths in it: of side directories all files. */
  #namesToMove(targetDir: string): string[] {
    const names = readdirSync(this.#dir);
    if (names.length === this.#entries.length) return names;
    return readdirSync(this.#dir, { withFileTypes: true }).flatMap((entry) => {
      const isMerged = entry.isDirectory() && this.#makeSideDirectory(join(targetDir, entry.name));
      return isMerged ? listFiles(this.#dir, entry.name) : [entry.name];
    });
  }

  /** Other items have files in the same side directory, perhaps at this moment, so it is never moved as one. */
  #makeSideDirectory(relPath: string): boolean {
    if (this.#entries.some((entry) => entry.relPath === relPath)) return false;
    this.#guard.checkDirectory(relPath);
    if (!existsSync(this.#root)) throw new KagurazakaError("environment", `the output root ${this.#root} is gone`);
    makeOwnDirectory(join(this.#root, relPath));
    return true;
  }

  /** To a directory below the root. Syncs the other outputs before the one that proves completion. */
  #moveAll(names: readonly string[], from: string, relDir: string, isLast: (name: string) => boolean): void {
    const first = names.findIndex(isLast);
    const border = first < 0 ? names.length : first;
    for (const part of [names.slice(0, border), names.slice(border)]) {
      for (const name of part) this.#move(join(from, name), join(relDir, name));
      if (this.#options.durable)
        for (const dir of new Set(part.map((name) => dirname(join(this.#root, relDir, name))))) this.#syncNames(dir);
    }
  }

  #syncInPlace(): void {
    if (!this.#options.durable) return;
    for (const { relPath } of this.#entries) {
      syncTree(join(this.#root, relPath));
      this.#syncNames(join(this.#root, dirname(relPath)));
    }
  }

  /** Syncs a directory and its parents: a name survives a power loss only if the names above it do. */
  #syncNames(dir: string): void {
    syncPath(dir);
    const named: string[] = [];
    for (let at = dir; at.length > this.#root.length && !syncedDirectories.has(at); at = dirname(at)) {
      syncPath(dirname(at));
      named.push(at);
    }
    if (syncedDirectories.size >= MAX_SYNCED) syncedDirectories.clear();
    for (const one of named) syncedDirectories.add(one);
  }

  #publishDirectory(directory: OutputEntry, last: Set<OutputEntry>): void {
    const from = join(this.#dir, basename(directory.relPath));
    const to = join(this.#root, directory.relPath);
    if (!existsSync(to)) {
      this.#move(from, directory.relPath);
    } else {
      this.#guard.checkDirectory(directory.relPath);
      const lastPaths = new Set([...last].map((entry) => entry.relPath.slice(directory.relPath.length + 1)));
      const files = listFiles(from);
      files.sort((a, b) => Number(lastPaths.has(a)) - Number(lastPaths.has(b)));
      this.#moveAll(files, from, directory.relPath, (file) => lastPaths.has(file));
    }
    if (this.#options.durable) this.#syncNames(dirname(to));
    this.discard();
  }

  #move(from: string, relPath: string): void {
    if (this.#options.durable) syncTree(from);
    // Again: another item may have put a link where nothing was.
    this.#guard.checkParentOf(relPath);
    const to = join(this.#root, relPath);
    try {
      renameSync(from, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      // A root that was unmounted or deleted must not be created again under the mount point.
      if (!existsSync(this.#root)) throw new KagurazakaError("environment", `the output root ${this.#root} is gone`);
      makeOwnDirectory(dirname(to));
      renameSync(from, to);
    }
  }
}

function listFiles(dir: string, prefix = ""): string[] {
  return readdirSync(join(dir, prefix), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? listFiles(dir, join(prefix, entry.name)) : [join(prefix, entry.name)],
  );
}

function syncTree(path: string): void {
  const stat = lstatSync(path);
  // A link cannot be synced, and where it leads is not ours.
  if (stat.isSymbolicLink()) return;
  if (stat.isDirectory()) for (const name of readdirSync(path)) syncTree(join(path, name));
  syncPath(path);
}

function syncPath(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
