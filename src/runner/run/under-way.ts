import { closeSync, ftruncateSync, openSync, readFileSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../../base/make-directory.js";
import { readNames as names } from "../../base/read-names.js";
import { unpackKeys } from "../../contracts/wire.js";
import type { Load } from "../dispatch/queues.js";
import type { Seat } from "../dispatch/seat.js";

const MAX_FILE_CHARS = 1024 * 1024;

/**
 * Which items are at workers, on disk: when a native crash takes the whole process along, nobody is left to say what was
 * running. One file per worker, one line of packed keys per message; written over when it has grown long. Best effort: what
 * cannot be written is not tracked, and an item too many in here only runs with more care.
 *
 *     under-way/<run>/<worker>
 */
export class UnderWay implements Disposable {
  readonly #dir: string;
  readonly #files = new Map<number, { readonly fd: number; chars: number }>();
  #broken = false;

  constructor(underWayDir: string, run: string) {
    this.#dir = join(underWayDir, run);
  }

  sent(seat: Seat, { parcel, from, to }: Load): void {
    if (this.#broken) return;
    try {
      const file = this.#fileOf(seat.id);
      if (file.chars > MAX_FILE_CHARS) this.#startOver(file, seat);
      else this.#append(file, parcel.keysText(from, to));
    } catch {
      this.#broken = true;
    }
  }

  /** What the worker had is settled, or at another one. */
  gone(seat: Seat): void {
    const file = this.#files.get(seat.id);
    if (!file) return;
    this.#files.delete(seat.id);
    closeSync(file.fd);
    rmSync(join(this.#dir, String(seat.id)), { force: true });
  }

  #fileOf(id: number): { readonly fd: number; chars: number } {
    let file = this.#files.get(id);
    if (!file) {
      makeDirectory(this.#dir);
      file = { fd: openSync(join(this.#dir, String(id)), "a"), chars: 0 };
      this.#files.set(id, file);
    }
    return file;
  }

  #append(file: { readonly fd: number; chars: number }, keys: string): void {
    // Keys are parted by newlines, messages by an empty line.
    writeSync(file.fd, `${keys}\n\n`);
    file.chars += keys.length + 2;
  }

  /** The worker's items already hold the ones just sent. */
  #startOver(file: { readonly fd: number; chars: number }, seat: Seat): void {
    ftruncateSync(file.fd);
    file.chars = 0;
    for (const seq of seat.inFlight.seqs()) this.#append(file, JSON.stringify([seat.inFlight.keyOf(seq)]));
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
export function readUnderWay(underWayDir: string, isDead: (run: string) => boolean): Set<string> {
  const keys = new Set<string>();
  for (const run of names(underWayDir).filter(isDead)) {
    for (const file of names(join(underWayDir, run))) {
      for (const message of readFileSync(join(underWayDir, run, file), "utf8")
        .split("\n\n")
        .slice(0, -1))
        for (const key of unpackKeys(message)) keys.add(key);
    }
  }
  return keys;
}

/** What dead runs left is dealt with. */
export function clearUnderWay(underWayDir: string, isDead: (run: string) => boolean): void {
  for (const run of names(underWayDir).filter(isDead)) rmSync(join(underWayDir, run), { recursive: true, force: true });
  removeIfEmpty(underWayDir);
}

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // Another shard's run is in there.
  }
}
