/*
 * 64-bit integers as doubles and back, by their 32-bit halves: a bigint for each costs ten times as much. Buffers are little-endian,
 * as all machines are that Node runs on.
 */

const HALF = 2 ** 32;

/** The integers as doubles; undefined where one is beyond 2^53. */
export function doublesOf(values: BigInt64Array | BigUint64Array): Float64Array | undefined {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const doubles = new Float64Array(values.length);
  return (values instanceof BigInt64Array ? signed(halves, doubles) : unsigned(halves, doubles)) ? doubles : undefined;
}

function signed(halves: Int32Array, doubles: Float64Array): boolean {
  let outside = 0;
  for (let i = 0, at = 0; i < doubles.length; i++, at += 2) {
    const low = halves[at]! >>> 0;
    const high = halves[at + 1]!;
    doubles[i] = high * HALF + low;
    // From -2^53 on, which itself is not safe, to below 2^53.
    outside |= (high + 0x200000) >>> 22;
    if (high === -0x200000 && low === 0) outside = 1;
  }
  return outside === 0;
}

function unsigned(halves: Int32Array, doubles: Float64Array): boolean {
  let outside = 0;
  for (let i = 0, at = 0; i < doubles.length; i++, at += 2) {
    const high = halves[at + 1]! >>> 0;
    doubles[i] = high * HALF + (halves[at]! >>> 0);
    outside |= high >>> 21;
  }
  return outside === 0;
}

/** Integers as they are stored. Nulls are 0. */
export function wideOf(values: ArrayLike<unknown>): BigInt64Array {
  if (values instanceof BigInt64Array) return values;
  if (values instanceof BigUint64Array) return new BigInt64Array(values.buffer, values.byteOffset, values.length);
  const wide = new BigInt64Array(values.length);
  const halves = new Int32Array(wide.buffer);
  if (values instanceof Float64Array) fromDoubles(values, halves);
  else fromAny(values, halves, wide);
  return wide;
}

/** Doubles within 2^53. */
function fromDoubles(values: Float64Array, halves: Int32Array): void {
  for (let i = 0, at = 0; i < values.length; i++, at += 2) {
    const value = values[i]!;
    const high = Math.floor(value / HALF);
    halves[at] = value - high * HALF;
    halves[at + 1] = high;
  }
}

function fromAny(values: ArrayLike<unknown>, halves: Int32Array, wide: BigInt64Array): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number | bigint | null | undefined;
    if (typeof value === "bigint") {
      wide[i] = BigInt.asIntN(64, value);
    } else if (typeof value === "number") {
      const high = Math.floor(value / HALF);
      halves[2 * i] = value - high * HALF;
      halves[2 * i + 1] = high;
    }
  }
}
