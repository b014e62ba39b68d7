import { fingerprintHigh, fingerprintLow, hashText } from "../../base/hash.js";
import { type ChangeTimes, isWithin, type UnsyncedWindow } from "./checkpoints/unsynced.js";
import type { Damage } from "./damage.js";
import type { FailedKeys } from "./failures/failed-keys.js";
import type { FingerprintTable } from "./fingerprint-table.js";
import type { EpochSelection, RecordedStatus } from "./lines.js";
import type { Segment } from "./segment.js";
import type { RecordedEntry } from "./view.js";

/** Values of the table: status in the low two bits, number of the segment above. 0 is a free slot. */
export const statusCodes = { done: 1, filtered: 2, failed: 3 } as const satisfies Record<RecordedStatus, number>;
const statusNames = [undefined, "done", "filtered", "failed"] as const;

export const packEntry = (status: RecordedStatus, segment: number): number =>
  ((segment << 2) | statusCodes[status]) >>> 0;

/** An epoch, from the lines of all segments. */
export interface EpochRecord {
  readonly epoch: number;
  readonly scope: EpochSelection;
  readonly partial: boolean;
  complete: boolean;
}

export interface KeyStatus extends RecordedEntry {
  readonly segment: Segment;
}

/** The code and options that made some of the results. */
interface Provenance {
  readonly module: string;
  readonly version: string | null;
  readonly options: string;
  readonly doneKeys: number;
}

/** The content of a loaded ledger. */
type LedgerFacts = { readonly table: FingerprintTable } & Pick<
  LedgerIndex,
  "dir" | "segments" | "epochs" | "failed" | "counts" | "damage" | "unsyncedKeys" | "windows"
>;

/** The status of every key, in about 20 bytes per key. Exact except for collisions of 64-bit fingerprints. */
export class LedgerIndex {
  readonly dir: string;
  readonly segments: readonly Segment[];
  readonly epochs: readonly EpochRecord[];
  /** Keys whose latest outcome is `failed`. */
  readonly failed: FailedKeys;
  /** Keys by latest outcome. */
  readonly counts: Readonly<Record<RecordedStatus, number>>;
  /** Lines that are left out. */
  readonly damage: Damage;
  /** Keys whose latest outcome is `done` or `filtered` in a segment that may be unsynced. */
  readonly unsyncedKeys: number;
  /** The times in which outputs may have been published that never reached the disk. */
  readonly windows: readonly UnsyncedWindow[];
  readonly #table: FingerprintTable;

  constructor(facts: LedgerFacts) {
    this.dir = facts.dir;
    this.segments = facts.segments;
    this.epochs = facts.epochs;
    this.failed = facts.failed;
    this.counts = facts.counts;
    this.damage = facts.damage;
    this.unsyncedKeys = facts.unsyncedKeys;
    this.windows = facts.windows;
    this.#table = facts.table;
  }

  /** For the header of the next segment. */
  get nextSeq(): number {
    return 1 + this.segments.reduce((highest, segment) => Math.max(highest, segment.header?.seq ?? 0), 0);
  }

  statusOf(key: string): KeyStatus | undefined {
    const entry = this.#find(key);
    const status = statusNames[entry & 3];
    if (status === undefined) return undefined;
    const segment = this.segments[entry >>> 2]!;
    return {
      status,
      epoch: segment.header?.epoch ?? 0,
      mayBeUnsynced: segment.mayBeUnsynced && status !== "failed",
      segment,
    };
  }

  /** Every recorded result and every published output is on disk. */
  get isFullySynced(): boolean {
    return this.unsyncedKeys === 0 && this.windows.length === 0;
  }

  /** Whether an output of this key with these times may be incomplete on disk, whatever the ledger says. */
  outputMayBeUnsynced(key: string, times: ChangeTimes): boolean {
    const entry = this.statusOf(key);
    const recorded = entry !== undefined && entry.status !== "failed" && !entry.mayBeUnsynced;
    const seq = recorded ? (entry.segment.header?.seq ?? 0) : 0;
    return this.windows.some((window) => isWithin(window, times, recorded, seq));
  }

  /** The epoch in which the key was last done or filtered; -1: not recorded, or its latest outcome is a failure. */
  finishedEpoch(key: string): number {
    const entry = this.#find(key);
    if (entry === 0 || (entry & 3) === statusCodes.failed) return -1;
    return this.segments[entry >>> 2]!.header?.epoch ?? 0;
  }

  failedKeys(): IterableIterator<string> {
    return this.failed.keys();
  }

  /** How many of the keys done now were made by which code and options; most first. */
  doneByProvenance(): Provenance[] {
    const sums = new Map<string, Provenance>();
    for (const { header, doneKeys, mayBeUnsynced } of this.segments) {
      // Results that may be unsynced are redone anyway.
      if (doneKeys === 0 || mayBeUnsynced) continue;
      const made = { module: header?.module ?? "", version: header?.version ?? null, options: header?.options ?? "" };
      const name = JSON.stringify(made);
      sums.set(name, { ...made, doneKeys: doneKeys + (sums.get(name)?.doneKeys ?? 0) });
    }
    return [...sums.values()].sort((a, b) => b.doneKeys - a.doneKeys);
  }

  #find(key: string): number {
    if (this.#table.size === 0) return 0;
    const hash = hashText(key);
    return this.#table.find(fingerprintLow(hash), fingerprintHigh(hash));
  }
}
