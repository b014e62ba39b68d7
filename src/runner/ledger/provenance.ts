import type { LedgerHeader } from "./lines.js";

/** The code and options that a result was made by. */
export type Made = Pick<LedgerHeader, "module" | "version" | "options">;

/** What may have changed since a result was made → the field of the header that shows it. */
export const aspects = { code: "module", version: "version", options: "options" } as const satisfies Record<
  string,
  keyof Made
>;
export type Aspect = keyof typeof aspects;

/** `made` null: the segment lost its header, which counts as changed in every respect. */
export function differencesOf(made: Made | null, now: Made): readonly Aspect[] {
  return (Object.keys(aspects) as Aspect[]).filter(
    (aspect) => (made?.[aspects[aspect]] ?? null) !== now[aspects[aspect]],
  );
}
