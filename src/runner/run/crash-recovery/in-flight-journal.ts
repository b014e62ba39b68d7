import { closeSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { makeOwnDirectory, removeEmpty } from "../../../base/make-directory.js";
import { openOwn, readOwn, readOwnNames } from "../../../base/own-file.js";
import { unpackKeys } from "../../../contracts/wire.js";
import type { WorkerHandle } from "../../dispatch/worker-handle.js";

const MAX_FILE_CHARS = 1024 * 1024;

interface TrackedFile {
  fd: number;
  /** Characters in the file. */
  chars: number;
  /** The size at which the file is written anew. */
  limit: number;
}

/**
 * The keys of items in flight, on disk, so that the next run knows them after a native crash of the whole process. One file
 * per worker, one line of packed keys per message; rewritten when it has grown long. Best effort: a key that cannot be written
 * is not tracked, and a key too many only makes its item run in isolation.
 *
 *     under-way/<run>/<worker>
 */
export class InFlightJournal implements Disposable {
  readonly #dir: string;
  readonly #files = new Map<number, TrackedFile>();
  #broken = false;

  constructor(journalDir: string, run: string) {
    this.#dir = join(journalDir, run);
  }

  /** @param keys as they are packed for the message */
  sending(worker: WorkerHandle, keys: string): void {
    if (this.#broken) return;
    try {
      const file = this.#fileOf(worker.id);
      if (file.chars > file.limit) this.#startOver(file, worker);
      this.#append(file, keys);
    } catch {
      this.#broken = true;
    }
  }

  /** The worker has no item in flight any more. */
  gone(worker: WorkerHandle): void {
    const file = this.#files.get(worker.id);
    if (!file) return;
    this.#files.delete(worker.id);
    closeSync(file.fd);
    rmSync(this.#pathOf(worker.id), { force: true });
  }

  #fileOf(id: number): TrackedFile {
    let file = this.#files.get(id);
    if (!file) {
      makeOwnDirectory(this.#dir);
      file = { fd: openOwn(this.#pathOf(id), "new"), chars: 0, limit: MAX_FILE_CHARS };
      this.#files.set(id, file);
    }
    return file;
  }

  #pathOf(id: number): string {
    return join(this.#dir, String(id));
  }

  #append(file: TrackedFile, keys: string): void {
    // A newline separates keys, an empty line separates messages.
    writeSync(file.fd, `${keys}\n\n`);
    file.chars += keys.length + 2;
  }

  /** Replaces the file by one with what is in flight now. */
  #startOver(file: TrackedFile, worker: WorkerHandle): void {
    const path = this.#pathOf(worker.id);
    closeSync(file.fd);
    file.fd = openOwn(`${path}.new`, "new");
    file.chars = 0;
    for (const keys of worker.inFlight.packedKeys()) this.#append(file, keys);
    renameSync(`${path}.new`, path);
    // What is in flight may itself be long: without this, each message would rewrite the file.
    file.limit = Math.max(MAX_FILE_CHARS, 4 * file.chars);
  }

  /** The run ends in order, with nothing in flight. */
  [Symbol.dispose](): void {
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
    rmSync(this.#dir, { recursive: true, force: true });
    removeEmpty(join(this.#dir, ".."));
  }
}

/** Keys of items that were in flight when the process of a run crashed. Requires the lease of their shard. */
export function readInFlightJournal(journalDir: string, isDead: (run: string) => boolean): Set<string> {
  const files = readOwnNames(journalDir)
    .filter(isDead)
    .flatMap((run) => readOwnNames(join(journalDir, run)).map((file) => join(journalDir, run, file)));
  return new Set(files.flatMap(messagesIn).flatMap((message) => orNone(() => unpackKeys(message))));
}

/** The last message may be cut off, and is left out. */
const messagesIn = (path: string): string[] => orNone(() => readOwn(path).split("\n\n").slice(0, -1));

/** A key that cannot be read is not tracked. */
function orNone(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}

/** Removes the journals of dead runs, once their suspects were tried. */
export function clearInFlightJournal(journalDir: string, isDead: (run: string) => boolean): void {
  for (const run of readOwnNames(journalDir).filter(isDead))
    rmSync(join(journalDir, run), { recursive: true, force: true });
  removeEmpty(journalDir);
}
