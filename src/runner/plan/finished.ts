import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import type { Item } from "../../contracts/item.js";
import type { FinishRule } from "../../contracts/modes.js";
import type { LedgerView } from "../ledger/view.js";
import type { Candidate } from "./candidates.js";
import { changedAt, isOlderThan } from "./file-times.js";

/** Why an item need not run. */
export type SkipReason = "output exists" | "in the ledger" | "filtered before" | "failed before";

/** How an item stands: to be run, finished but to be redone (`unsynced`: its output may not have reached the disk), or finished and why. */
type FinishState = "due" | "stale" | "unsynced" | SkipReason;

export const isFinished = (state: FinishState): state is SkipReason =>
  state !== "due" && state !== "stale" && state !== "unsynced";

interface FinishedOptions {
  readonly rule: FinishRule | null;
  /** The task has an `isExecuted` of its own, asked in the worker. */
  readonly taskDecides: boolean;
  readonly outputRoot: string | null;
  /** Where the files lie that an item is made of. */
  inputPathsOf(item: Item): readonly string[];
  readonly skipFailed: boolean;
  readonly ledger: LedgerView;
  /** `--redo`: what was finished is to be done again. */
  readonly isStale: (candidate: Candidate) => boolean;
}

/**
 * Is an item finished? Whoever defines a check owns the truth: existing outputs decide both ways, else the task, else the
 * ledger. In a forced epoch an item must also have been done in it. `filtered` always counts through the ledger.
 */
export class FinishedCheck {
  readonly #options: FinishedOptions;
  readonly #files: ExistingFiles | null;

  constructor(options: FinishedOptions) {
    this.#options = options;
    this.#files =
      options.rule?.by === "files" && options.outputRoot !== null ? new ExistingFiles(options.outputRoot) : null;
  }

  stateOf(candidate: Candidate): FinishState {
    const reason = this.#reason(candidate);
    if (!this.#options.ledger.isFullySynced && this.#mayBeUnsynced(candidate, reason)) return "unsynced";
    // Asked in any case: a task that decides for itself is not asked about what is to be redone.
    return reason !== "failed before" && this.#options.isStale(candidate) ? "stale" : (reason ?? "due");
  }

  /** Whether the power may have taken a part of it along, whoever says that it is finished. */
  #mayBeUnsynced({ key, outputs }: Candidate, reason: SkipReason | null): boolean {
    const { ledger, taskDecides, outputRoot } = this.#options;
    if (reason === "failed before") return false;
    if (ledger.statusOf(key)?.mayBeUnsynced) return true;
    // It has no output, or runs anyway.
    if (outputRoot === null || reason === "filtered before" || (reason === null && !taskDecides)) return false;
    return outputs.some(({ relPath }) => {
      const stat = statSync(join(outputRoot, relPath), { throwIfNoEntry: false });
      return stat !== undefined && ledger.outputMayBeUnsynced(key, stat);
    });
  }

  #reason(candidate: Candidate): SkipReason | null {
    const { key, outputs } = candidate;
    const { rule, ledger, skipFailed, taskDecides } = this.#options;
    const entry = ledger.statusOf(key);
    const required = ledger.requiredEpoch(key);
    const current = entry !== undefined && entry.epoch >= required;
    if (entry?.status === "filtered" && current) return "filtered before";
    if (entry?.status === "failed" && skipFailed) return "failed before";
    const doneInEpoch = entry?.status === "done" && current;
    if (this.#files && rule?.by === "files") {
      const exists = rule.select(outputs).every((output) => this.#files!.has(output.relPath, rule.minBytes));
      return exists && (required === 0 || doneInEpoch) && !this.isOutdated(candidate) ? "output exists" : null;
    }
    if (taskDecides && required === 0) return null;
    return doneInEpoch ? "in the ledger" : null;
  }

  /** All outputs are there and one is older than an input, where the check asks; so it is where an input is gone. */
  isOutdated({ item, outputs }: Candidate): boolean {
    const { rule, outputRoot, inputPathsOf } = this.#options;
    if (rule?.by !== "files" || !rule.newerThanInput || outputRoot === null) return false;
    const made = rule.select(outputs).map(({ relPath }) => changedAt(join(outputRoot, relPath)));
    return isOlderThan(made, inputPathsOf(item));
  }
}

const MAX_LISTINGS = 64;

/** So many questions about one directory in a row say that the next directory will be asked about as often. */
const IN_ORDER = 4;

/** A file where a folder should be: what would lie in it is not there. */
function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}

/**
 * Looks for files in bulk: the second question about a directory lists it, so that a tree walked in order costs one
 * listing per directory, and a single question costs one stat. Listings are snapshots: this run alone adds files.
 */
export class ExistingFiles {
  readonly #root: string;
  readonly #listings = new Map<string, ReadonlySet<string>>();
  #lastDir: string | undefined;
  #lastListing: ReadonlySet<string> | undefined;
  #inARow = 0;

  constructor(root: string) {
    this.#root = root;
  }

  has(relPath: string, minBytes: number): boolean {
    const slash = relPath.lastIndexOf("/");
    const dir = slash < 0 ? "." : relPath.slice(0, slash);
    if (dir === this.#lastDir) {
      this.#inARow++;
    } else {
      const inOrder = this.#inARow >= IN_ORDER;
      this.#inARow = 1;
      this.#lastDir = dir;
      this.#lastListing = this.#listings.get(dir);
      if (!this.#lastListing && !inOrder) return this.#stat(relPath, minBytes);
    }
    this.#lastListing ??= this.#list(dir);
    if (!this.#lastListing.has(slash < 0 ? relPath : relPath.slice(slash + 1))) return false;
    return minBytes === 0 || this.#stat(relPath, minBytes);
  }

  #stat(relPath: string, minBytes: number): boolean {
    const stat = statIfThere(join(this.#root, relPath));
    return stat !== undefined && (stat.isDirectory() || stat.size >= minBytes);
  }

  #list(dir: string): ReadonlySet<string> {
    let names: string[] = [];
    try {
      names = readdirSync(join(this.#root, dir));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR")
        throw new KagurazakaError("environment", `cannot see which outputs exist: ${message}`, { cause: error });
    }
    if (this.#listings.size >= MAX_LISTINGS) this.#listings.delete(this.#listings.keys().next().value!);
    const listing = new Set(names);
    this.#listings.set(dir, listing);
    return listing;
  }
}
