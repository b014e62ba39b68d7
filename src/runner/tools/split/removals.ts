import { lstatSync, type Stats, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { environmentError, isOfOthers, syncPath } from "../../../base/disk.js";

/** A source whose copy is on disk. */
interface Removal {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  /** Of `from`, as it was copied. */
  readonly stat: Stats;
  /** How it was counted. */
  readonly state: "placed" | "there";
}

const MAX_WAITING = 1000;
const MAX_KNOWN = 100_000;

/**
 * Sources of a move to another file system. They are removed many at a time: first the directories of their copies are
 * synced, each once, or after a power loss there would be neither. A kill leaves files in both places, and the next split
 * removes their sources.
 */
export class Removals {
  readonly #waiting: Removal[] = [];
  /** Directories whose own name is on disk. */
  readonly #known = new Set<string>();

  add(removal: Removal): void {
    this.#waiting.push(removal);
  }

  get isFull(): boolean {
    return this.#waiting.length >= MAX_WAITING;
  }

  /** Removes all sources that wait; `onStays` is called for each that could not be removed. */
  settle(onStays: (removal: Removal, why: string) => void): void {
    const waiting = this.#waiting.splice(0);
    if (this.#known.size > MAX_KNOWN) this.#known.clear();
    for (const dir of new Set(waiting.map(({ to }) => dirname(to)))) this.#sync(dir);
    for (const removal of waiting) {
      const why = remove(removal);
      if (why !== undefined) onStays(removal, why);
    }
  }

  /** And the directories above it: a name is found only if every directory on its path is. */
  #sync(dir: string): void {
    try {
      syncPath(dir);
    } catch (error) {
      if (!isOfOthers(error)) throw environmentError("sync", dir, error);
    }
    if (this.#known.has(dir) || dirname(dir) === dir) return;
    this.#known.add(dir);
    this.#sync(dirname(dir));
  }
}

function remove({ from, stat }: Removal): string | undefined {
  try {
    const now = lstatSync(from, { throwIfNoEntry: false });
    if (now === undefined) return undefined;
    if (now.size !== stat.size || now.mtimeMs !== stat.mtimeMs)
      return "it changed after it was copied; its shard has what it was before";
    unlinkSync(from);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
