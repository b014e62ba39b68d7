import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, statIfThere } from "../../base/disk.js";
import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { foldsNames, plainName } from "../../base/names-on-disk.js";
import type { Item } from "../../contracts/item.js";
import type { FinishRule } from "../../contracts/modes.js";
import type { LedgerView } from "../ledger/view.js";
import type { Candidate } from "./candidates.js";
import { areOutputsOlder } from "./file-times.js";

/** Why an item need not run. */
export type SkipReason = "output exists" | "in the ledger" | "filtered before" | "failed before" | "listed before";

/** To run (`due`), finished but to be redone (`unsynced`: its output may not have reached the disk), or finished and why. */
type FinishState = "due" | "stale" | "unsynced" | SkipReason;

export const isFinished = (state: FinishState): state is SkipReason =>
  state !== "due" && state !== "stale" && state !== "unsynced";

export interface FinishedOptions {
  readonly rule: FinishRule | null;
  /** The task has an `isExecuted` of its own, asked in the worker. */
  readonly taskDecides: boolean;
  readonly outputRoot: string | null;
  /** Paths of the item's input files. */
  inputPathsOf(item: Item): readonly string[];
  readonly skipFailed: boolean;
  readonly ledger: LedgerView;
  /** `--redo`: a finished item has to be redone. */
  readonly isStale: (candidate: Candidate) => boolean;
}

/**
 * Decides whether an item is finished. With a finish check by files, the files decide both ways; else the task's `isExecuted`,
 * else the ledger. In a forced epoch an item must also have been done in that epoch. `filtered` is known to the ledger alone.
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
    // Items that look due as well: with `isExecuted`, a due item is finished where the task says so, a stale one is redone.
    return reason !== "failed before" && this.#options.isStale(candidate) ? "stale" : (reason ?? "due");
  }

  /** Whether a power loss may have destroyed a part of its outputs. */
  #mayBeUnsynced({ key, outputs }: Candidate, reason: SkipReason | null): boolean {
    const { ledger, taskDecides, outputRoot } = this.#options;
    if (reason === "failed before") return false;
    if (ledger.statusOf(key)?.mayBeUnsynced) return true;
    // The item has no output, or is due anyway.
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

  /** For `newer_than_input`: all outputs exist, and one is older than an input or an input is gone. */
  isOutdated({ item, outputs }: Candidate): boolean {
    const { rule, outputRoot: root, inputPathsOf } = this.#options;
    if (rule?.by !== "files" || !rule.newerThanInput || root === null) return false;
    return areOutputsOlder({ rule, root, outputs }, inputPathsOf(item));
  }
}

const MAX_LISTINGS = 64;

/** After this many lookups in one directory, the next directory is listed at its first lookup. */
const IN_ORDER = 4;

/**
 * Checks in bulk which files exist: the second lookup in a directory lists it, so that a tree walked in order costs one
 * listing per directory, and a single lookup costs one stat. Listings are snapshots, because only this run adds files.
 */
export class ExistingFiles {
  readonly #root: string;
  readonly #listings = new Map<string, ReadonlySet<string>>();
  #lastDir: string | undefined;
  #lastListing: ReadonlySet<string> | undefined;
  #inARow = 0;
  /** The file system would take an output of another case for this one: only a listing has the names themselves. */
  readonly #folds: boolean;

  constructor(root: string) {
    this.#root = root;
    this.#folds = foldsNames(root);
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
      if (!this.#lastListing && !inOrder && !this.#folds) return this.#stat(relPath, minBytes);
    }
    this.#lastListing ??= this.#list(dir);
    const name = slash < 0 ? relPath : relPath.slice(slash + 1);
    if (!this.#lastListing.has(this.#folds ? plainName(name) : name)) return false;
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
    } catch (cause) {
      if (!["ENOENT", "ENOTDIR"].includes(errnoOf(cause) ?? "")) {
        const message = `cannot look which outputs exist: ${toErrorRecord(cause).message}`;
        throw new KagurazakaError("environment", message, { cause });
      }
    }
    if (this.#listings.size >= MAX_LISTINGS) this.#listings.delete(this.#listings.keys().next().value!);
    const listing = new Set(this.#folds ? names.map(plainName) : names);
    this.#listings.set(dir, listing);
    return listing;
  }
}
