import { compactNumbers, integers64, listOfNumbers, plainInteger } from "../batch/batch.js";
import type { Feature } from "../features/feature.js";

/** Lists of numbers without nulls are views of one array, or typed arrays of their own; other lists are copied out. */
export function takerOf(items: ArrayLike<unknown>, core: Feature): (from: number, to: number) => unknown {
  const numbers = listOfNumbers(core);
  if (items instanceof BigInt64Array || items instanceof BigUint64Array)
    return numbers
      ? (from, to) => integers64(items.subarray(from, to), items instanceof BigInt64Array)
      : (from, to) => Array.from(items.subarray(from, to), plainInteger);
  if (ArrayBuffer.isView(items)) {
    const all = items as unknown as Int32Array;
    return numbers ? (from, to) => all.subarray(from, to) : (from, to) => Array.from(all.subarray(from, to));
  }
  const all = items as readonly unknown[];
  return (from, to) => (numbers ? compactNumbers(all.slice(from, to), numbers) : all.slice(from, to));
}
