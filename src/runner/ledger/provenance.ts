import type { LedgerHeader } from "./lines.js";

/** The code and options that a result was made by. */
export type Made = Pick<LedgerHeader, "module" | "version" | "options">;

/** In what respects the task may have changed since a result was made → the field of a header that shows it. */
export const aspects = { code: "module", version: "version", options: "options" } as const satisfies Record<
  string,
  keyof Made
>;
export type Aspect = keyof typeof aspects;

/** `made` null: the ledger has lost its header, which differs from anything now. */
export function differencesOf(made: Made | null, now: Made): readonly Aspect[] {
  return (Object.keys(aspects) as Aspect[]).filter(
    (aspect) => (made?.[aspects[aspect]] ?? null) !== now[aspects[aspect]],
  );
}
