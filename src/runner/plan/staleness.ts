import { join } from "node:path";
import type { Item } from "../../contracts/item.js";
import type { FinishRule } from "../../contracts/modes.js";
import type { RedoCause } from "../../contracts/run-config.js";
import { differencesOf, type LedgerIndex, type Made } from "../ledger/index.js";
import type { Candidate } from "./candidates.js";
import { changedAt, isOlderThan } from "./file-times.js";

interface StalenessOptions {
  readonly redo: readonly RedoCause[];
  readonly now: Made;
  readonly index: Pick<LedgerIndex, "statusOf">;
  readonly rule: FinishRule | null;
  readonly outputRoot: string | null;
  /** Where the files lie that an item is made of. */
  inputPathsOf(item: Item): readonly string[];
}

/**
 * `--redo`: whether a finished item was finished by other code, another version or other options than now, or whether an
 * input has changed since. What the ledger does not know was made by nobody knows what, and is kept.
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

/** Since the outputs were written; where no files tell, since the run began that recorded the item. */
function inputsChanged({ key, item, outputs }: Candidate, options: StalenessOptions): boolean {
  const { rule, outputRoot, index, inputPathsOf } = options;
  const inputs = inputPathsOf(item);
  if (inputs.length === 0) return false;
  if (rule?.by === "files" && outputRoot !== null) {
    const made = rule.select(outputs).map(({ relPath }) => changedAt(join(outputRoot, relPath)));
    return isOlderThan(made, inputs);
  }
  const entry = index.statusOf(key);
  const began = Date.parse(entry?.segment.header?.at ?? "");
  return Number.isFinite(began) && isOlderThan([BigInt(began) * 1_000_000n], inputs);
}
