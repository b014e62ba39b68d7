/** Reads and writes the hybrid of runs and packed bits (parquet-format, Encodings: RLE), which levels and dictionary indices have. */
type Target = Uint8Array | Int32Array;

/** @throws RangeError where the bytes end too early */
export function readHybrid(bytes: Uint8Array, from: number, width: number, target: Target): void {
  const mask = width === 32 ? 0xffffffff : 2 ** width - 1;
  const runBytes = (width + 7) >> 3;
  let at = from;
  for (let seen = 0; seen < target.length; ) {
    if (at >= bytes.length) throw new RangeError("a page ends in the middle of its levels or indices");
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80 || shift > 28) break;
    }
    if ((header & 1) === 0) {
      let value = 0;
      for (let i = 0; i < runBytes; i++) value |= bytes[at++]! << (8 * i);
      const end = Math.min(target.length, seen + (header >>> 1));
      if (end === seen) throw new RangeError("a run of nothing");
      target.fill(value, seen, end);
      seen = end;
      continue;
    }
    const count = Math.min(target.length - seen, (header >>> 1) * 8);
    if (width > 24) unpackWide(bytes, at, width, target, seen, count);
    else if (width === 1) unpackBits(bytes, at, target, seen, count);
    else unpack(bytes, at, width, mask, target, seen, count);
    at += (header >>> 1) * width;
    seen += count;
  }
}

/** Whether all levels are the highest one, in a single run. */
export function isOneRun(bytes: Uint8Array, from: number, most: number, count: number): boolean {
  let header = 0;
  let at = from;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++];
    if (byte === undefined || factor > 2 ** 35) return false;
    header += (byte & 0x7f) * factor;
    if (byte < 0x80) break;
  }
  return header % 2 === 0 && header / 2 >= count && bytes[at] === most;
}

function unpackBits(bytes: Uint8Array, from: number, target: Target, seen: number, count: number): void {
  let at = from;
  for (let i = seen, end = seen + count; i < end; ) {
    let byte = bytes[at++]!;
    for (const stop = Math.min(end, i + 8); i < stop; byte >>= 1) target[i++] = byte & 1;
  }
}

function unpack(
  bytes: Uint8Array,
  from: number,
  width: number,
  mask: number,
  target: Target,
  seen: number,
  count: number,
): void {
  let at = from;
  let kept = 0;
  let bits = 0;
  for (let i = seen, end = seen + count; i < end; i++) {
    while (bits < width) {
      kept |= bytes[at++]! << bits;
      bits += 8;
    }
    target[i] = kept & mask;
    kept >>>= width;
    bits -= width;
  }
}

/** More bits than an integer of 32 has room for beside what is left of the last byte. */
function unpackWide(bytes: Uint8Array, from: number, width: number, target: Target, seen: number, count: number): void {
  let at = from;
  let kept = 0;
  let bits = 0;
  for (let i = seen, end = seen + count; i < end; i++) {
    for (; bits < width; bits += 8) kept += bytes[at++]! * 2 ** bits;
    target[i] = kept % 2 ** width;
    kept = Math.floor(kept / 2 ** width);
    bits -= width;
  }
}

export const bitWidth = (most: number): number => 32 - Math.clz32(most);

/** The least run that is not packed with its neighbours. */
const MIN_RUN = 16;

/** Levels or indices as runs where they repeat, else packed. */
export function writeHybrid(values: ArrayLike<number>, from: number, to: number, width: number): Buffer {
  const out = Buffer.allocUnsafe(64 + Math.ceil(((to - from) * Math.max(1, width)) / 8) + (to - from) / 4);
  let at = 0;
  const header = (value: number): void => {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) out[at++] = (rest & 0x7f) | 0x80;
    out[at++] = rest;
  };
  const packed = (start: number, end: number): void => {
    const groups = Math.ceil((end - start) / 8);
    header((groups << 1) | 1);
    let kept = 0;
    let bits = 0;
    for (let i = start; i < start + groups * 8; i++) {
      kept += (i < end ? values[i]! : 0) * 2 ** bits;
      for (bits += width; bits >= 8; bits -= 8) {
        out[at++] = kept % 256;
        kept = Math.floor(kept / 256);
      }
    }
  };
  for (let start = from; start < to; ) {
    // Packed values come in groups of eight, so a run begins at such a border.
    let end = start;
    for (;;) {
      const run = runLength(values, end, to);
      if (run >= MIN_RUN) break;
      end = Math.min(to, end + 8);
      if (end >= to) break;
    }
    if (end > start) packed(start, end);
    start = end;
    if (start >= to) break;
    const run = runLength(values, start, to);
    header(run << 1);
    for (let i = 0; i < (width + 7) >> 3; i++) out[at++] = (values[start]! >>> (8 * i)) & 0xff;
    start += run;
  }
  return out.subarray(0, at);
}

function runLength(values: ArrayLike<number>, from: number, to: number): number {
  const value = values[from];
  let end = from + 1;
  while (end < to && values[end] === value) end++;
  return end - from;
}

/** One run. */
export function writeRun(value: number, count: number, width: number): Buffer {
  const bytes: number[] = [];
  let rest = count * 2;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  for (let i = 0; i < (width + 7) >> 3; i++) bytes.push((value >>> (8 * i)) & 0xff);
  return Buffer.from(bytes);
}
