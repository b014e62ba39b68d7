import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";

const BUFFER_BYTES = 1 << 20;

/** A new file that is written from its beginning to its end; counts its bytes and hashes them. */
export class FileSink implements Disposable {
  readonly #fd: number;
  readonly #hash: Hash = createHash("sha256");
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #filled = 0;
  #isOpen = true;
  bytes = 0;

  constructor(path: string) {
    this.#fd = openSync(path, "wx");
  }

  write(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    const isLarge = bytes.length > BUFFER_BYTES / 2;
    if (isLarge || bytes.length > BUFFER_BYTES - this.#filled) this.#flush();
    if (isLarge) return this.#put(bytes);
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** The file is whole. @returns its SHA-256, in hex */
  finish(): string {
    this.#flush();
    this[Symbol.dispose]();
    return this.#hash.digest("hex");
  }

  #flush(): void {
    if (this.#filled > 0) this.#put(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #put(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at);
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#fd);
  }
}
