import type { RedoCause } from "../../contracts/run-config.js";
import type { LedgerIndex } from "../ledger/index.js";
import type { Candidate } from "./candidates.js";

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
}

/**
 * `--redo`: whether a finished item was finished by other code, another version or other options than now. What the ledger
 * does not know was made by nobody knows what, and is kept.
 */
export function createStaleness({ redo, now, index }: StalenessOptions): (candidate: Candidate) => boolean {
  const fields = (Object.keys(madeBy) as (keyof typeof madeBy)[]).filter((cause) => redo.includes(cause));
  if (fields.length === 0) return () => false;
  return ({ key }) => {
    const entry = index.statusOf(key);
    if (entry === undefined || entry.status === "failed") return false;
    const { header } = entry.segment;
    return fields.some((cause) => header?.[madeBy[cause]] !== now[madeBy[cause]]);
  };
}
