import { KagurazakaError } from "../../base/errors.js";
import { createPermutation } from "./permutation.js";

/** Which rows of a base a view has, in which order. Composed of closures: no view copies what it is a view of. */
export interface Order {
  readonly length: number;
  /** The row of the base. @param index in [0, length) */
  at(index: number): number;
  /** The first row, where the rows are neighbours: such a view is read as a stream. */
  readonly start: number | undefined;
}

export const rangeOrder = (start: number, length: number): Order => ({ length, start, at: (index) => start + index });

/** Rows `from`, `from + step`, … */
export function stepped(inner: Order, from: number, step: number, length: number): Order {
  if (step === 1 && inner.start !== undefined) return rangeOrder(inner.start + from, length);
  return { length, start: undefined, at: (index) => inner.at(from + index * step) };
}

/** @throws KagurazakaError `bad-value` for an index that is none of a row */
export function picked(inner: Order, indices: ArrayLike<number>): Order {
  for (let i = 0; i < indices.length; i++) checkIndex(indices[i]!, inner.length);
  return { length: indices.length, start: undefined, at: (index) => inner.at(indices[index]!) };
}

export function shuffled(inner: Order, seed: string | number): Order {
  const permute = createPermutation(seed, inner.length);
  return { length: inner.length, start: undefined, at: (index) => inner.at(permute(index)) };
}

/** The i-th of n parts whose lengths differ by one at most. */
export function sharded(inner: Order, i: number, n: number, contiguous: boolean): Order {
  const [each, more] = [Math.floor(inner.length / n), inner.length % n];
  const length = each + (i < more ? 1 : 0);
  return contiguous ? stepped(inner, i * each + Math.min(i, more), 1, length) : stepped(inner, i, n, length);
}

function checkIndex(index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return;
  const has = length === 0 ? "it has no rows" : `its rows are 0 to ${length - 1}`;
  throw new KagurazakaError("bad-value", `the dataset has no row ${shown(index)}: ${has}`);
}

/** The same for an index that may be negative, as `at` takes it. */
export function checkPlace(index: number, length: number): void {
  if (Number.isInteger(index) && index >= -length && index < length) return;
  const has = length === 0 ? "it has no rows" : `its rows are 0 to ${length - 1}, or -${length} to -1 from the end`;
  throw new KagurazakaError("bad-value", `the dataset has no row ${shown(index)}: ${has}`);
}

/** A seed that is an object would be `[object Object]`, whatever is in it. @throws KagurazakaError `bad-value` */
export function checkSeed(seed: string | number): void {
  if (typeof seed === "string" || Number.isFinite(seed)) return;
  throw new KagurazakaError("bad-value", `the seed must be a string or a number, not ${shown(seed)}`);
}

/** @throws KagurazakaError `bad-value` for what is no list of numbers */
export function checkIndices(indices: Iterable<number>): Float64Array {
  const isList = typeof indices === "object" && indices !== null && Symbol.iterator in indices;
  if (!isList) throw new KagurazakaError("bad-value", `the indices must be a list of numbers, not ${shown(indices)}`);
  const all = ArrayBuffer.isView(indices) ? (indices as unknown as ArrayLike<number>) : [...indices];
  const bad = Array.prototype.findIndex.call(all, (one) => typeof one !== "number");
  if (bad < 0) return Float64Array.from(all);
  throw new KagurazakaError("bad-value", `the dataset has no row ${shown(all[bad])}: an index is a number`);
}

/** `"1"` with its quotes: it is not the number. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "an array" : "an object";
}

/** @throws KagurazakaError `bad-value` */
export function checkCount(value: number, name: string, least = 0): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new KagurazakaError("bad-value", `${name} must be an integer of at least ${least}, not ${shown(value)}`);
}

export function checkShard(i: number, n: number): void {
  checkCount(n, "the number of shards", 1);
  checkCount(i, "the index of the shard");
  if (i >= n) throw new KagurazakaError("bad-value", `there is no shard ${i} of ${n}: they are 0 to ${n - 1}`);
}
