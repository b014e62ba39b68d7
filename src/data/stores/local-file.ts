import { type FileHandle, open } from "node:fs/promises";
import { KagurazakaError } from "../../base/errors.js";
import type { DataFile } from "./store.js";

const CHUNK_BYTES = 1 << 20;

/** @throws KagurazakaError `source` for a file that cannot be opened, or is a directory */
export async function openLocalFile(path: string): Promise<DataFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r");
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new Error("it is a directory");
    return new LocalFile(path, stat.size, handle);
  } catch (cause) {
    await handle?.close();
    throw new KagurazakaError("source", `cannot open ${path}: ${(cause as Error).message}`, { where: path, cause });
  }
}

class LocalFile implements DataFile {
  readonly name: string;
  readonly size: number;
  readonly #handle: FileHandle;
  #closed: Promise<void> | undefined;

  constructor(name: string, size: number, handle: FileHandle) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.size - offset)));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled === buffer.length ? buffer : buffer.subarray(0, filled);
  }

  /** The next chunk is read while the one before is used. */
  async *stream(from: number, to: number, chunkBytes = CHUNK_BYTES): AsyncGenerator<Buffer> {
    if (from >= to) return;
    const size = Math.min(chunkBytes, to - from);
    let [free, used] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(to - from > size ? size : 0)];
    let next = this.#begin(free, from, to);
    try {
      for (let at = from; at < to; ) {
        const chunk = await next;
        if (chunk.length === 0) return;
        at += chunk.length;
        [free, used] = [used, free];
        if (at < to) next = this.#begin(free, at, to);
        yield chunk;
      }
    } finally {
      // Where the reader stops early: the file may be closed now.
      await next.catch(() => {});
    }
  }

  /** An error is thrown where the chunk is awaited, and nowhere else. */
  #begin(buffer: Buffer, at: number, to: number): Promise<Buffer> {
    const chunk = this.#chunk(buffer, at, to);
    chunk.catch(() => {});
    return chunk;
  }

  /** Empty at the end of the file. */
  async #chunk(buffer: Buffer, at: number, to: number): Promise<Buffer> {
    const { bytesRead } = await this.#handle.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (bytesRead > 0 || at >= this.size) return buffer.subarray(0, bytesRead);
    const what = `${this.name} has become shorter while it was read: it ended at byte ${at} of ${this.size}`;
    throw new KagurazakaError("bad-data", what, { where: this.name, hint: "Let its writer finish, then try again." });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#handle.close();
    await this.#closed;
  }
}
