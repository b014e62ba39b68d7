import type { SoftPartition } from "./modes.js";
import type { HashShard } from "./run-config.js";

/** The part of the input that a run works on. `hash` null and `soft` empty: all of it. */
export interface Partition {
  readonly soft: SoftPartition;
  readonly hash: HashShard | null;
}

export const wholeInput: Partition = { soft: [], hash: null };
