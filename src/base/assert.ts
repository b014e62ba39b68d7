import { KagurazakaError } from "./errors.js";

/** An invariant of ours: where it does not hold, the run ends with an internal error that says which. */
export function assert(holds: unknown, invariant: string): asserts holds {
  if (!holds) throw new KagurazakaError("internal", `this must hold and does not: ${invariant}`);
}
