import type { RedoCause } from "../../contracts/run-config.js";
import { differencesOf, type LedgerIndex, type Made } from "../ledger/index.js";
import type { Candidate } from "./candidates.js";
import { areOlder, areOutputsOlder } from "./file-times.js";
import type { FinishedOptions } from "./finished.js";

interface StalenessOptions extends Pick<FinishedOptions, "rule" | "outputRoot" | "inputPathsOf"> {
  readonly redo: readonly RedoCause[];
  readonly now: Made;
  readonly index: Pick<LedgerIndex, "statusOf">;
}

/**
 * `--redo`: whether a finished item was made by other code, another version or other options than now, or has an input that
 * changed since. Items that the ledger does not know are kept, for it is unknown what made them.
 */
export function createStaleness(options: StalenessOptions): (candidate: Candidate) => boolean {
  const { redo, now, index } = options;
  if (redo.length === 0) return () => false;
  const madeByOthers = ({ key }: Candidate): boolean => {
    const entry = index.statusOf(key);
    if (entry === undefined || entry.status === "failed") return false;
    return differencesOf(entry.segment.header, now).some((aspect) => redo.includes(aspect));
  };
  if (!redo.includes("inputs")) return madeByOthers;
  return (candidate) => madeByOthers(candidate) || inputsChanged(candidate, options);
}

/** Since the outputs were written; without outputs, since the beginning of the run that recorded the item. */
function inputsChanged({ key, item, outputs }: Candidate, options: StalenessOptions): boolean {
  const { rule, outputRoot, index, inputPathsOf } = options;
  const inputs = inputPathsOf(item);
  if (inputs.length === 0) return false;
  if (rule?.by === "files" && outputRoot !== null) return areOutputsOlder({ rule, root: outputRoot, outputs }, inputs);
  const beganMs = Date.parse(index.statusOf(key)?.segment.header?.at ?? "");
  return Number.isFinite(beganMs) && areOlder([BigInt(beganMs) * 1_000_000n], inputs);
}
