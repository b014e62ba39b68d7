import { compactNumbers, integers64, listOfNumbers } from "../batch/batch.js";
import type { Feature } from "../features/feature.js";

/** Lists of numbers without nulls are views of one array, or typed arrays of their own; other lists are copied out. */
export function takerOf(items: ArrayLike<unknown>, core: Feature): (from: number, to: number) => unknown {
  if (items instanceof BigInt64Array || items instanceof BigUint64Array)
    return (from, to) => integers64(items.subarray(from, to), items instanceof BigInt64Array);
  if (ArrayBuffer.isView(items)) {
    const numbers = items as unknown as Int32Array;
    return (from, to) => numbers.subarray(from, to);
  }
  const all = items as readonly unknown[];
  const numbers = listOfNumbers(core);
  return (from, to) => (numbers ? compactNumbers(all.slice(from, to), numbers) : all.slice(from, to));
}
