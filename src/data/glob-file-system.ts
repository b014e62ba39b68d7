import { type Dirent, lstat, readdir, type Stats, stat } from "node:fs";
import { join, relative } from "node:path";
import type { Readable } from "node:stream";
import type { FileSystemAdapter } from "fast-glob";
import { OWN_DIRECTORY } from "../base/own-directory.js";
import { createLeftOut, isFile, sortNames, type WalkOptions } from "./walk.js";

/** Paths found and not yet taken, above which no further directory is read. */
const MAX_BACKLOG = 4096;

export interface Gate {
  /** Whose backlog counts. */
  watch(stream: Readable & { readonly writableLength?: number }): void;
  /** Calls `go` now, or when the backlog has gone down. */
  pass(go: () => void): void;
  /** Looks at the backlog again; to be called for each path taken. */
  open(): void;
}

/** fast-glob pushes whatever it finds and knows no back pressure: it is held where it asks for the next directory. */
export function createGate(): Gate {
  let stream: Readable & { readonly writableLength?: number };
  let held: (() => void) | undefined;
  const isFull = (): boolean => stream.readableLength + (stream.writableLength ?? 0) > MAX_BACKLOG;
  return {
    watch(watched) {
      stream = watched;
    },
    pass(go) {
      if (isFull()) held = go;
      else go();
    },
    open() {
      if (held === undefined || isFull()) return;
      const go = held;
      held = undefined;
      go();
    },
  };
}

type ReaddirCallback = (error: NodeJS.ErrnoException | null, entries: Dirent[]) => void;
type LstatCallback = (error: NodeJS.ErrnoException | null, stats: Stats) => void;

/** What fast-glob sees of the disk: sorted directories without those left out, where a symlink to a file is a file. */
export function createSortedFileSystem(options: WalkOptions, gate: Gate): Partial<FileSystemAdapter> {
  const leftOut = createLeftOut(options);
  const isKept = (directory: string, entry: Dirent): boolean =>
    entry.name !== OWN_DIRECTORY &&
    !(entry.isDirectory() && leftOut(relative(options.root, join(directory, entry.name))));

  const readSorted = (path: string, settings: { withFileTypes: true }, callback: ReaddirCallback): void =>
    gate.pass(() =>
      readdir(path, settings, (error, entries) => {
        if (error) return callback(error, []);
        const byName = new Map(entries.map((entry) => [entry.name, entry]));
        const sorted = sortNames([...byName.keys()]).map((name) => followToFile(path, byName.get(name)!));
        callback(
          null,
          sorted.filter((entry) => isKept(path, entry)),
        );
      }),
    );

  const lstatOfFile = (path: string, callback: LstatCallback): void =>
    lstat(path, (error, stats) => {
      if (error === null && stats.isSymbolicLink() && isFile(path)) stat(path, callback);
      else callback(error, stats);
    });

  return {
    readdir: readSorted as unknown as FileSystemAdapter["readdir"],
    lstat: lstatOfFile as FileSystemAdapter["lstat"],
  };
}

function followToFile(directory: string, entry: Dirent): Dirent {
  if (!entry.isSymbolicLink() || !isFile(join(directory, entry.name))) return entry;
  return Object.create(entry, { isFile: { value: () => true }, isSymbolicLink: { value: () => false } }) as Dirent;
}
