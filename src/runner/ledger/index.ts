/** The ledger's door for the rest of the runner. */

export { environmentError } from "../../base/disk.js";
export { type Machine, openSegments, type UnsyncedWindow } from "./checkpoints/unsynced.js";
export { type MatchGlobs, packKeys, sameScope } from "./epochs/epoch-scope.js";
export { createEpochBook, decideForce, type EpochBook, type ForcedEpoch } from "./epochs/epochs.js";
export { type FailedItem, failedItems, foldFailures } from "./failures/failures.js";
export type { EpochRecord, KeyStatus, LedgerIndex, Provenance } from "./ledger-index.js";
export {
  type CheckpointLine,
  type EpochSelection,
  LEDGER_VERSION,
  type LedgerHeader,
  type RecordedStatus,
} from "./lines.js";
export { loadLedger } from "./load-ledger.js";
export { type Extra, type Failure, type Ledger, type LedgerRequest, openLedger } from "./open-ledger.js";
export { type Aspect, aspects, differencesOf, type Made } from "./provenance.js";
export type { Segment } from "./segment.js";
