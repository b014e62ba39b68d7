import { hashText } from "../../base/hash.js";

const ROUNDS = 8;

/**
 * A permutation of [0, length) that is computed, not stored: a Feistel network over the next larger power of four, walked until it
 * lands in the range (fewer than four steps on average). The same for the same seed and length on every machine, up to 2^52.
 */
export function createPermutation(seed: string | number, length: number): (index: number) => number {
  let bits = 2;
  while (4 ** bits < length) bits++;
  const half = 2 ** bits;
  const mask = half - 1;
  const keys = Array.from({ length: ROUNDS }, (_, round) => hashText(`shuffle\n${seed}\n${length}\n${round}`)[0]!);
  return (index) => {
    let value = index;
    do {
      let left = Math.floor(value / half);
      let right = value % half;
      for (const key of keys) [left, right] = [right, left ^ (mix(right, key) & mask)];
      value = left * half + right;
    } while (value >= length);
    return value;
  };
}

/** The last step of Murmur3: every bit of the input changes half of the output. */
function mix(value: number, key: number): number {
  let h = Math.imul(value ^ key, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
