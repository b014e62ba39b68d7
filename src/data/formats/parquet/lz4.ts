/** A compressor for LZ4 blocks (lz4_Block_format.md): greedy, a table of the last place of four bytes. */
const HASH_BITS = 14;
const MIN_MATCH = 4;
/** The last five bytes are literals, and the last match begins twelve bytes before the end. */
const LAST_LITERALS = 5;
const MATCH_LIMIT = 12;

export function compressLz4(input: Uint8Array): Uint8Array {
  const output = Buffer.allocUnsafe(input.length + Math.ceil(input.length / 255) + 16);
  const table = new Int32Array(1 << HASH_BITS).fill(-1);
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let written = 0;
  let anchor = 0;
  for (let at = 0; at < input.length - MATCH_LIMIT; ) {
    const word = view.getUint32(at, true);
    const hash = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const match = table[hash]!;
    table[hash] = at;
    if (match < 0 || at - match > 0xffff || view.getUint32(match, true) !== word) {
      at++;
      continue;
    }
    let length = MIN_MATCH;
    while (at + length < input.length - LAST_LITERALS && input[match + length] === input[at + length]) length++;
    written = sequence(input, anchor, at, output, written, { offset: at - match, length });
    at += length;
    anchor = at;
  }
  return output.subarray(0, sequence(input, anchor, input.length, output, written));
}

/** Literals, and the match behind them; the last sequence has none. @returns where the next one begins */
function sequence(
  input: Uint8Array,
  from: number,
  to: number,
  output: Buffer,
  at: number,
  match?: { readonly offset: number; readonly length: number },
): number {
  const literals = to - from;
  const extra = match ? match.length - MIN_MATCH : 0;
  let next = at;
  output[next++] = (Math.min(15, literals) << 4) | Math.min(15, extra);
  next = rest(output, next, literals);
  output.set(input.subarray(from, to), next);
  next += literals;
  if (!match) return next;
  next = output.writeUInt16LE(match.offset, next);
  return rest(output, next, extra);
}

/** What of a length does not fit in four bits. */
function rest(output: Buffer, at: number, length: number): number {
  let next = at;
  if (length < 15) return next;
  let left = length - 15;
  for (; left >= 255; left -= 255) output[next++] = 255;
  output[next++] = left;
  return next;
}
