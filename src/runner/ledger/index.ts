/** The exports of the ledger for the rest of the runner. */
export { type Machine, openSegments } from "./checkpoints/unsynced.js";
export { type Damage, describeDamage } from "./damage.js";
export { eachDoneKey } from "./done-keys.js";
export { packKeys, sameScope } from "./epochs/epoch-scope.js";
export { createEpochBook, decideForce, type EpochBook, type ForcedEpoch } from "./epochs/epochs.js";
export { type FailedItem, failedItems, foldFailures } from "./failures/failures.js";
export type { EpochRecord, KeyStatus, LedgerIndex } from "./ledger-index.js";
export { type CheckpointLine, type EpochSelection, LEDGER_VERSION, type LedgerHeader } from "./lines.js";
export { loadLedger } from "./load-ledger.js";
export { type Ledger, openLedger } from "./open-ledger.js";
export { type Aspect, aspects, differencesOf, type Made } from "./provenance.js";
