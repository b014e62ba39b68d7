import { KagurazakaError } from "./errors.js";

/** Checks an invariant. Where it is violated, the run ends with an internal error that names it. */
export function assert(holds: unknown, invariant: string): asserts holds {
  if (!holds) throw new KagurazakaError("internal", `violated invariant: ${invariant}`);
}
