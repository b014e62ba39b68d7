import type { LedgerHeader } from "./lines.js";

/** What a result was made by. */
export type Made = Pick<LedgerHeader, "module" | "version" | "options">;

/** In what respects results may not be what the task would make now, and where a header tells of it. */
export const aspects = { code: "module", version: "version", options: "options" } as const satisfies Record<
  string,
  keyof Made
>;
export type Aspect = keyof typeof aspects;

/** `made` null: the ledger has lost it, which is other than anything now. */
export function differencesOf(made: Made | null, now: Made): readonly Aspect[] {
  return (Object.keys(aspects) as Aspect[]).filter(
    (aspect) => (made?.[aspects[aspect]] ?? null) !== now[aspects[aspect]],
  );
}
