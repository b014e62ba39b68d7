import { plainInteger } from "../batch/batch.js";
import { BadValue, type Check, wrong } from "./bad-value.js";
import type { DType, DTypeParts } from "./dtypes.js";

export function intCheck(parts: DTypeParts & { kind: "int" }, dtype: DType): Check {
  const min = parts.signed ? -(2n ** BigInt(parts.bits - 1)) : 0n;
  const max = 2n ** BigInt(parts.signed ? parts.bits - 1 : parts.bits) - 1n;
  const [least, most] = [
    Math.max(Number(min), Number.MIN_SAFE_INTEGER),
    Math.min(Number(max), Number.MAX_SAFE_INTEGER),
  ];
  return (value, path) => {
    if (typeof value === "number" && Number.isInteger(value)) {
      if (value >= least && value <= most) return value;
      const exact = parts.bits === 64 ? " (beyond 2^53 a bigint is exact, a number is not)" : "";
      throw new BadValue(path, `${value} is out of the range of ${dtype}${exact}`);
    }
    if (typeof value === "bigint") {
      if (value >= min && value <= max) return plainInteger(value);
      throw new BadValue(path, `${value} is out of the range of ${dtype}`);
    }
    throw wrong(path, value, dtype);
  };
}

/** From where on a number is rounded to Infinity. */
const TOO_LARGE = { 16: 65_520, 32: 2 ** 128 - 2 ** 103, 64: Number.POSITIVE_INFINITY } as const;

/** Decimals are rounded to the dtype, as everywhere; integers are not, and nothing becomes Infinity. */
export function floatCheck({ bits }: DTypeParts & { kind: "float" }, dtype: DType): Check {
  const tooLarge = TOO_LARGE[bits];
  return (value, path) => {
    const number = typeof value === "bigint" ? exactNumber(value) : value;
    if (number === undefined && typeof value === "bigint")
      throw new BadValue(path, `${value} would be rounded as ${dtype}: it is an integer beyond 2^53`);
    if (typeof number !== "number") throw wrong(path, value, dtype);
    if ((number < tooLarge && number > -tooLarge) || !Number.isFinite(number)) return number;
    throw new BadValue(path, `${value} is out of the range of ${dtype}`);
  };
}

/** Undefined for an integer that no number is. */
export function exactNumber(value: bigint): number | undefined {
  const number = Number(value);
  return Number.isFinite(number) && BigInt(number) === value ? number : undefined;
}
