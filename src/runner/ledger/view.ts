import type { ChangeTimes } from "./checkpoints/unsynced.js";
import type { RecordedStatus } from "./lines.js";

/** What the ledger says about one key. */
export interface RecordedEntry {
  readonly status: RecordedStatus;
  readonly epoch: number;
  /** Recorded after the last checkpoint of a boot that is over: its output may not be on disk. */
  readonly mayBeUnsynced: boolean;
}

/** The part of the ledger that the plan reads. */
export interface LedgerView {
  statusOf(key: string): RecordedEntry | undefined;
  /** The epoch in which an item must have been done; 0 without any `--force`. */
  requiredEpoch(key: string): number;
  /** Every recorded result and every published output is on disk. */
  readonly isFullySynced: boolean;
  /** Whether an output of this key with these times may be incomplete on disk. */
  outputMayBeUnsynced(key: string, times: ChangeTimes): boolean;
}
