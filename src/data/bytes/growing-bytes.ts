/** Bytes that are put one behind another, and used again. */
export class GrowingBytes {
  #bytes: Buffer;
  length = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** A view of what was put; valid until more is. */
  get view(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  fill(value: number, count: number): void {
    this.#reserve(count);
    this.#bytes.fill(value, this.length, this.length + count);
    this.length += count;
  }

  /** With its length before it, as 4 bytes. */
  putSized(bytes: Uint8Array): void {
    this.#reserve(4);
    this.length = this.#bytes.writeUInt32LE(bytes.length, this.length);
    this.put(bytes);
  }

  /** As UTF-8, with its length before it, as 4 bytes. */
  putText(text: string): void {
    // A UTF-16 unit is three bytes at most.
    this.#reserve(4 + text.length * 3);
    const written = this.#bytes.write(text, this.length + 4);
    this.#bytes.writeUInt32LE(written, this.length);
    this.length += 4 + written;
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.length + count, this.#bytes.length * 2));
    larger.set(this.view);
    this.#bytes = larger;
  }
}
