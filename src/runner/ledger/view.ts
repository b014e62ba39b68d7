import type { ChangeTimes } from "./checkpoints/unsynced.js";
import type { RecordedStatus } from "./lines.js";

/** What the ledger says about one key. */
export interface RecordedEntry {
  readonly status: RecordedStatus;
  readonly epoch: number;
  /** Recorded after the last sync mark of a boot that is over: its output may have gone with the power. */
  readonly mayBeUnsynced: boolean;
}

/** What the plan asks of the ledger. */
export interface LedgerView {
  statusOf(key: string): RecordedEntry | undefined;
  /** The epoch an item must have been done in; 0 when nothing was ever forced. */
  requiredEpoch(key: string): number;
  /** Nothing recorded is doubtful, and no output can have been published that a boot has taken along. */
  readonly isFullySynced: boolean;
  /** Whether an output of this key that last changed then may not be whole. */
  outputMayBeUnsynced(key: string, times: ChangeTimes): boolean;
}
