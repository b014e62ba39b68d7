/**
 * Finds where Zstandard's frames end, without unpacking or keeping anything (RFC 8878, section 3.1):
 *
 *     magic  header           block  block  …  last block  [checksum]
 *     4      2 … 14 bytes     each 3 + size bytes          4 bytes
 *
 * A skippable frame is a magic, 4 bytes of size, and contents that mean nothing.
 */
const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK_BYTES = 128 * 1024;

/** Bytes of one frame, a part of a chunk. */
export interface FramePiece {
  readonly bytes: Buffer;
  /** The frame ends with these bytes. */
  readonly isEnd: boolean;
  /** The most bytes that the frame can unpack to, as far as it was read. */
  readonly atMost: number;
  /** The frame has no contents to unpack. */
  readonly isSkipped: boolean;
}

export class ZstdFrames {
  /** The field that is being read: a magic, a header, the head of a block. */
  readonly #field = Buffer.alloc(18);
  #have = 0;
  #want = 4;
  #read: () => void = this.#readMagic;
  /** Bytes to pass over before the next field. */
  #pass = 0;
  #ended = false;
  #begun = false;
  #isSkipped = false;
  #hasChecksum = false;
  #contentBytes: number | undefined;
  #blocksAtMost = 0;

  /** No frame is begun and not ended. */
  get isAtEnd(): boolean {
    return !this.#begun;
  }

  /** The chunk, cut where frames end. */
  push(chunk: Buffer): FramePiece[] {
    const pieces: FramePiece[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; ) {
      this.#begun = true;
      const wanted = this.#pass > 0 ? this.#pass : this.#want - this.#have;
      const taken = Math.min(wanted, chunk.length - at);
      if (this.#pass > 0) {
        this.#pass -= taken;
      } else {
        chunk.copy(this.#field, this.#have, at, at + taken);
        this.#have += taken;
      }
      at += taken;
      if (this.#have === this.#want && this.#pass === 0 && !this.#ended) this.#read();
      if (!this.#ended || this.#pass > 0) continue;
      pieces.push(this.#piece(chunk.subarray(start, at), true));
      start = at;
      this.#beginFrame();
    }
    if (start < chunk.length) pieces.push(this.#piece(chunk.subarray(start), false));
    return pieces;
  }

  #piece(bytes: Buffer, isEnd: boolean): FramePiece {
    return { bytes, isEnd, atMost: this.#contentBytes ?? this.#blocksAtMost, isSkipped: this.#isSkipped };
  }

  #beginFrame(): void {
    this.#begun = false;
    this.#ended = false;
    this.#isSkipped = false;
    this.#contentBytes = undefined;
    this.#blocksAtMost = 0;
    this.#expect(4, this.#readMagic);
  }

  /** @param want bytes of the next field, `have` of which are there */
  #expect(want: number, read: () => void, have = 0): void {
    this.#have = have;
    this.#want = want;
    this.#read = read;
  }

  #endAfter(bytes: number): void {
    this.#pass = bytes;
    this.#ended = true;
  }

  #readMagic(): void {
    const magic = this.#field.readUInt32LE(0);
    if (magic === MAGIC) this.#expect(5, this.#readDescriptor, 4);
    else if ((magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC) this.#expect(4, this.#skip);
    else throw new Error("it is not in zstd format");
  }

  #skip(): void {
    this.#isSkipped = true;
    this.#endAfter(this.#field.readUInt32LE(0));
  }

  #readDescriptor(): void {
    const descriptor = this.#field[4]!;
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const sizeAt = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
    const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
    this.#hasChecksum = (descriptor & 4) !== 0;
    this.#expect(sizeAt + sizeBytes, () => this.#readSize(sizeAt, sizeBytes), 5);
  }

  #readSize(at: number, bytes: number): void {
    if (bytes === 8) this.#contentBytes = Number(this.#field.readBigUInt64LE(at));
    else if (bytes > 0) this.#contentBytes = this.#field.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
    this.#expect(3, this.#readBlock);
  }

  #readBlock(): void {
    const block = this.#field.readUIntLE(0, 3);
    const size = block >> 3;
    // Raw, one byte repeated, compressed.
    const type = (block >> 1) & 3;
    if (type === 3) throw new Error("it is damaged");
    this.#blocksAtMost += type === 2 ? MAX_BLOCK_BYTES : size;
    const packedBytes = type === 1 ? 1 : size;
    if ((block & 1) !== 0) return this.#endAfter(packedBytes + (this.#hasChecksum ? 4 : 0));
    this.#pass = packedBytes;
    this.#expect(3, this.#readBlock);
  }
}
