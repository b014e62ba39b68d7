const pow = (exponent: number): number => 2 ** exponent;

/** The bits of a half-precision number (IEEE 754), rounded to the nearest, ties to even. */
export function float16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65_520) return sign | 0x7c00;
  if (size < pow(-14)) return sign | even(size / pow(-24));
  const exponent = Math.floor(Math.log2(size));
  // A fraction that rounds up to 1 raises the exponent.
  return sign | (((exponent + 15) << 10) + even((size / pow(exponent) - 1) * 1024));
}

function even(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

/** The inverse. */
export function float16Number(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * pow(-24) : sign * (1 + fraction / 1024) * pow(exponent - 15);
}
