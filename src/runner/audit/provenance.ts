import type { LedgerHeader } from "../ledger/index.js";

/** What a result was made by. */
export type Made = Pick<LedgerHeader, "module" | "version" | "options">;

/** In what respects results are not what the task would make now. */
export const aspects = ["code", "version", "options"] as const;
export type Aspect = (typeof aspects)[number];

/** `made` null: the ledger has lost it, which is other than anything now. */
export function differencesOf(made: Made | null, now: Made): readonly Aspect[] {
  const differs: Aspect[] = [];
  if (made?.module !== now.module) differs.push("code");
  if ((made?.version ?? null) !== now.version) differs.push("version");
  if (made?.options !== now.options) differs.push("options");
  return differs;
}
