import { compressLz4 } from "../parquet/lz4.js";

/** LZ4 frames (lz4_Frame_format.md), as Arrow has them around its buffers. */
const MAGIC = 0x184d2204;
const BLOCK_BYTES = 4 << 20;
/** Version 1, independent blocks, no checksums; blocks of up to 4 MB; and the checksum of these two bytes. */
const HEADER = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73]);
const IS_STORED = 0x80000000;

export function packLz4Frame(input: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [HEADER];
  for (let at = 0; at < input.length; at += BLOCK_BYTES) {
    const block = input.subarray(at, at + BLOCK_BYTES);
    const packed = compressLz4(block);
    const isStored = packed.length >= block.length;
    const size = Buffer.alloc(4);
    size.writeUInt32LE(isStored ? (block.length | IS_STORED) >>> 0 : packed.length);
    parts.push(size, isStored ? block : packed);
  }
  return Buffer.concat([...parts, Buffer.alloc(4)]);
}

/** @param length of what is in it. @throws RangeError for damaged frames */
export function unpackLz4Frame(input: Uint8Array, length: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw new RangeError("it is no LZ4 frame");
  const flags = view.getUint8(4);
  const [hasBlockChecksum, hasSize, hasDictionary] = [flags & 0x10, flags & 0x08, flags & 0x01];
  const output = new Output(length);
  let at = 7 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0);
  for (;;) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) return output.bytes;
    const blockBytes = size & ~IS_STORED;
    if (at + blockBytes > input.length) throw new RangeError("an LZ4 frame ends too early");
    const block = input.subarray(at, at + blockBytes);
    if (size & IS_STORED) output.add(block);
    else unpackBlock(block, output);
    at += blockBytes + (hasBlockChecksum ? 4 : 0);
  }
}

/** Blocks may refer to those before them, so all are unpacked into one buffer. */
class Output {
  readonly #bytes: Uint8Array;
  #length = 0;

  constructor(length: number) {
    this.#bytes = new Uint8Array(length);
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more > this.#bytes.length) throw new RangeError("an LZ4 frame has more in it than it should");
  }

  add(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A match may overlap what it makes. */
  copy(offset: number, length: number): void {
    if (offset === 0 || offset > this.#length) throw new RangeError("an LZ4 match lies before the beginning");
    this.#room(length);
    const bytes = this.#bytes;
    for (let from = this.#length - offset, to = this.#length, end = to + length; to < end; )
      bytes[to++] = bytes[from++]!;
    this.#length += length;
  }
}

function unpackBlock(block: Uint8Array, output: Output): void {
  let at = 0;
  const long = (short: number): number => {
    let length = short;
    if (short < 15) return length;
    for (;;) {
      const byte = block[at++];
      if (byte === undefined) throw new RangeError("an LZ4 block ends too early");
      length += byte;
      if (byte < 255) return length;
    }
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = long(token >> 4);
    if (at + literals > block.length) throw new RangeError("an LZ4 block ends too early");
    output.add(block.subarray(at, at + literals));
    at += literals;
    if (at >= block.length) return;
    const offset = block[at]! | (block[at + 1]! << 8);
    at += 2;
    output.copy(offset, long(token & 15) + 4);
  }
}
