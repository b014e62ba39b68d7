/** The ledger's door for the rest of the runner. */
export { type DoubtWindow, type Machine, openSegments } from "./doubt/doubt.js";
export { type MatchGlobs, packKeys, sameScope } from "./epochs/epoch-scope.js";
export { createEpochBook, decideForce, type EpochBook, type ForcedEpoch } from "./epochs/epochs.js";
export { type FailedItem, failedItems, foldFailures } from "./failures/failures.js";
export { environmentError } from "./files.js";
export type { EpochRecord, KeyStatus, LedgerIndex, Provenance, Segment } from "./ledger-index.js";
export type { LedgerName } from "./line-buffer.js";
export {
  type EpochScope,
  LEDGER_VERSION,
  type LedgerHeader,
  type RecordedStatus,
  type RunScope,
  type SyncLine,
} from "./lines.js";
export { loadLedger } from "./load-ledger.js";
export { type Extra, type Failure, type Ledger, type LedgerRequest, openLedger } from "./open-ledger.js";
export { type Aspect, aspects, differencesOf, type Made } from "./provenance.js";
