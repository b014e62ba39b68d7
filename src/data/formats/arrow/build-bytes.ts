import { wideOf } from "../../batch/wide-integers.js";

/** What the buffers of a record batch may have: offsets have 32 bits, and so has the library's count of bytes. */
export const MAX_BYTES = 2 ** 31 - 64;

/** Texts one behind the other in UTF-8, and where each begins. */
export function textData(texts: ArrayLike<string | null | undefined>, large: boolean): object {
  const offsets = new Int32Array(texts.length + 1);
  let units = 0;
  for (let i = 0; i < texts.length; i++) units += texts[i]?.length ?? 0;
  // Most texts have few characters of more than a byte.
  let data = Buffer.allocUnsafeSlow(checked(units) + (units >> 4) + 64);
  let filled = 0;
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i];
    if (text) {
      if (filled + 3 * text.length > data.length) {
        const more = Buffer.byteLength(text);
        if (filled + more > data.length) {
          const larger = Buffer.allocUnsafeSlow(Math.min(MAX_BYTES, Math.max(2 * data.length, checked(filled + more))));
          data.copy(larger, 0, 0, filled);
          data = larger;
        }
      }
      filled += data.write(text, filled);
    }
    offsets[i + 1] = filled;
  }
  return { valueOffsets: large ? wideOf(offsets) : offsets, data: bytesIn(data, filled) };
}

export function byteData(values: ArrayLike<Uint8Array | null | undefined>, large: boolean): object {
  const offsets = new Int32Array(values.length + 1);
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    total = checked(total + (values[i]?.length ?? 0));
    offsets[i + 1] = total;
  }
  const data = Buffer.allocUnsafeSlow(total);
  for (let i = 0; i < values.length; i++) if (values[i]) data.set(values[i]!, offsets[i]!);
  return { valueOffsets: large ? wideOf(offsets) : offsets, data: bytesIn(data, total) };
}

/** @throws RangeError before offsets wrap around */
function checked(bytes: number): number {
  if (bytes > MAX_BYTES) throw new RangeError("a column has more than 2 GB of bytes in a record batch");
  return bytes;
}

const bytesIn = (data: Buffer, length: number): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, length);
