import { join } from "node:path";
import type { Item } from "../../contracts/item.js";
import type { FinishRule } from "../../contracts/modes.js";
import type { RedoCause } from "../../contracts/run-config.js";
import type { LedgerIndex } from "../ledger/index.js";
import type { Candidate } from "./candidates.js";
import { changedAt, isOlderThan } from "./file-times.js";

/** What made a result, as the header of a ledger segment says it. */
export interface Made {
  readonly module: string;
  readonly version: string | null;
  readonly options: string;
}

/** Where the header of a segment answers each cause. */
export const madeBy = { code: "module", version: "version", options: "options" } as const satisfies Partial<
  Record<RedoCause, keyof Made>
>;

export interface StalenessOptions {
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
  const fields = (Object.keys(madeBy) as (keyof typeof madeBy)[]).filter((cause) => redo.includes(cause));
  const madeByOthers = ({ key }: Candidate): boolean => {
    const entry = index.statusOf(key);
    if (entry === undefined || entry.status === "failed") return false;
    const { header } = entry.segment;
    return fields.some((cause) => header?.[madeBy[cause]] !== now[madeBy[cause]]);
  };
  if (!redo.includes("inputs")) return fields.length === 0 ? () => false : madeByOthers;
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
