import type { ChangeTimes } from "./checkpoints/unsynced.js";
import type { RecordedStatus } from "./lines.js";

/** What the ledger says about one key. */
export interface RecordedEntry {
  readonly status: RecordedStatus;
  readonly epoch: number;
  /** Recorded after the last checkpoint of a boot that is over: its output may not be on disk. */
  readonly mayBeUnsynced: boolean;
}

/** What the plan asks of the ledger. */
export interface LedgerView {
  statusOf(key: string): RecordedEntry | undefined;
  /** The epoch an item must have been done in; 0 when nothing was ever forced. */
  requiredEpoch(key: string): number;
  /** Every result recorded is on disk, and no output can have been published that is not. */
  readonly isFullySynced: boolean;
  /** Whether an output of this key that last changed then may not be whole. */
  outputMayBeUnsynced(key: string, times: ChangeTimes): boolean;
}
