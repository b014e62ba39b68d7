import { KagurazakaError } from "../../base/errors.js";

const SHOWN = 60;

/** A pattern that cannot be used; `why` completes "the glob pattern …". */
export function badPattern(pattern: string, why: string, hint: string): KagurazakaError {
  const shown = pattern.length > SHOWN ? `${pattern.slice(0, SHOWN)}…` : pattern;
  return new KagurazakaError("bad-value", `the glob pattern ${JSON.stringify(shown)} ${why}`, { hint });
}
