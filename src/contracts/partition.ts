import type { SoftPartition } from "./modes.js";
import type { HashShard } from "./run-config.js";

/** The part of the input that a run works on. `hash` null and `soft` empty: all of it. */
export interface Partition {
  readonly soft: SoftPartition;
  readonly hash: HashShard | null;
}

export const wholeInput: Partition = { soft: [], hash: null };

/** For what is read from a file, as the next two. */
export const isPartition = (value: unknown): value is Partition =>
  hasFields(value) && isSoftPartition(value.soft) && (value.hash === null || isHashShard(value.hash));

export const isSoftPartition = (value: unknown): value is SoftPartition =>
  Array.isArray(value) &&
  value.every(
    (level) => hasFields(level) && Array.isArray(level.indices) && [...level.indices, level.of].every(isWhole),
  );

export const isHashShard = (value: unknown): value is HashShard =>
  hasFields(value) && isWhole(value.index) && isWhole(value.of);

const hasFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
