import { type Dirent, lstat, readdir, type Stats, stat } from "node:fs";
import { join, relative } from "node:path";
import type { Readable } from "node:stream";
import type { FileSystemAdapter } from "fast-glob";
import { OWN_DIRECTORY } from "../base/own-directory.js";
import { createLeftOut, isFile, sortNames, type WalkOptions } from "./walk.js";

/** With more found paths than this that are not taken yet, no further directory is read. */
const MAX_BACKLOG = 4096;

interface Gate {
  /** The stream whose backlog counts. */
  watch(stream: Readable & { readonly writableLength?: number }): void;
  /** Calls `go` now, or when the backlog has gone down. */
  pass(go: () => void): void;
  /** Looks at the backlog again; to be called for each path taken. */
  open(): void;
}

/** Back pressure for fast-glob, which pushes all that it finds: its next directory waits while the backlog is full. */
export function createGate(): Gate {
  let stream: Readable & { readonly writableLength?: number };
  let waiting: (() => void) | undefined;
  const isFull = (): boolean => stream.readableLength + (stream.writableLength ?? 0) > MAX_BACKLOG;
  return {
    watch(watched) {
      stream = watched;
    },
    pass(go) {
      if (isFull()) waiting = go;
      else go();
    },
    open() {
      if (waiting === undefined || isFull()) return;
      const go = waiting;
      waiting = undefined;
      go();
    },
  };
}

type ReaddirCallback = (error: NodeJS.ErrnoException | null, entries: Dirent[]) => void;
type LstatCallback = (error: NodeJS.ErrnoException | null, stats: Stats) => void;

/** The disk as fast-glob sees it: sorted directories without those left out, where a symlink to a file is a file. */
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
        const kept = sorted.filter((entry) => isKept(path, entry));
        callback(null, kept);
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
