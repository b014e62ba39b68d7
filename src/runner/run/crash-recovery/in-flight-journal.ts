import { closeSync, ftruncateSync, openSync, readFileSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../../../base/make-directory.js";
import { readNames } from "../../../base/read-names.js";
import { unpackKeys } from "../../../contracts/wire.js";
import type { WorkerHandle } from "../../dispatch/worker-handle.js";

const MAX_FILE_CHARS = 1024 * 1024;

interface TrackedFile {
  readonly fd: number;
  /** Written since it was last begun anew. */
  chars: number;
  /** How many make it worth beginning anew. */
  limit: number;
}

/**
 * Which items are at workers, on disk: when a native crash takes the whole process along, nobody is left to say what was
 * running. One file per worker, one line of packed keys per message; written over when it has grown long. Best effort: what
 * cannot be written is not tracked, and an item too many in here only runs with more care.
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

  /** @param keys as they were packed for the message */
  sent(worker: WorkerHandle, keys: string): void {
    if (this.#broken) return;
    try {
      const file = this.#fileOf(worker.id);
      if (file.chars > file.limit) this.#startOver(file, worker);
      else this.#append(file, keys);
    } catch {
      this.#broken = true;
    }
  }

  /** What the worker had is settled, or at another one. */
  gone(worker: WorkerHandle): void {
    const file = this.#files.get(worker.id);
    if (!file) return;
    this.#files.delete(worker.id);
    closeSync(file.fd);
    rmSync(join(this.#dir, String(worker.id)), { force: true });
  }

  #fileOf(id: number): TrackedFile {
    let file = this.#files.get(id);
    if (!file) {
      makeDirectory(this.#dir);
      file = { fd: openSync(join(this.#dir, String(id)), "a"), chars: 0, limit: MAX_FILE_CHARS };
      this.#files.set(id, file);
    }
    return file;
  }

  #append(file: TrackedFile, keys: string): void {
    // Keys are parted by newlines, messages by an empty line.
    writeSync(file.fd, `${keys}\n\n`);
    file.chars += keys.length + 2;
  }

  /** The worker's items already hold the ones just sent. */
  #startOver(file: TrackedFile, worker: WorkerHandle): void {
    ftruncateSync(file.fd);
    file.chars = 0;
    this.#append(file, worker.inFlight.packedKeys().join("\n\n"));
    // Not once per message, where that alone is much.
    file.limit = Math.max(MAX_FILE_CHARS, 4 * file.chars);
  }

  /** An orderly end: nothing is under way. */
  [Symbol.dispose](): void {
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
    rmSync(this.#dir, { recursive: true, force: true });
    removeIfEmpty(join(this.#dir, ".."));
  }
}

/** Keys of items that were at workers of runs that ended without a word. Only for whoever holds the lease of their shard. */
export function readInFlightJournal(journalDir: string, isDead: (run: string) => boolean): Set<string> {
  const keys = new Set<string>();
  for (const run of readNames(journalDir).filter(isDead)) {
    for (const file of readNames(join(journalDir, run))) {
      for (const key of keysIn(join(journalDir, run, file))) keys.add(key);
    }
  }
  return keys;
}

/** As much as can be read: nothing depends on it but the care that is taken. */
function keysIn(path: string): string[] {
  try {
    const messages = readFileSync(path, "utf8").split("\n\n").slice(0, -1);
    return messages.flatMap((message) => {
      try {
        return unpackKeys(message);
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** What dead runs left is dealt with. */
export function clearInFlightJournal(journalDir: string, isDead: (run: string) => boolean): void {
  for (const run of readNames(journalDir).filter(isDead))
    rmSync(join(journalDir, run), { recursive: true, force: true });
  removeIfEmpty(journalDir);
}

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // Another shard's run is in there.
  }
}
