import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { PermanentError } from "kagurazaka";
import type { Algorithm } from "./source.js";

/** Hashes of a file, updated with all its bytes in order. */
export class Digests {
  readonly #hashes: ReadonlyMap<Algorithm, Hash>;

  constructor(algorithms: Iterable<Algorithm>) {
    this.#hashes = new Map(Array.from(new Set(algorithms), (algorithm) => [algorithm, createHash(algorithm)]));
  }

  update(chunk: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(chunk);
  }

  async addFile(path: string, onChunk: () => void, signal: AbortSignal): Promise<void> {
    if (this.#hashes.size === 0) return;
    for await (const chunk of createReadStream(path, { signal, highWaterMark: 1024 * 1024 })) {
      this.update(chunk as Buffer);
      onChunk();
    }
  }

  /** In hexadecimal. No update may follow. */
  end(): Partial<Record<Algorithm, string>> {
    return Object.fromEntries(Array.from(this.#hashes, ([algorithm, hash]) => [algorithm, hash.digest("hex")]));
  }
}

/** Writes the body to a file as it comes. Resolves with the number of bytes when the body is whole; settles when all is written. */
export async function writeBody(
  response: IncomingMessage,
  to: { readonly path: string; readonly append: boolean; readonly unpack: string | undefined },
  watch: { onChunk(chunk: Uint8Array): void; readonly signal: AbortSignal },
): Promise<number> {
  let bytes = 0;
  async function* passing(chunks: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      watch.onChunk(chunk);
      yield chunk;
    }
  }
  const file = createWriteStream(to.path, { flags: to.append ? "a" : "w" });
  const { signal } = watch;
  try {
    if (to.unpack === undefined) await pipeline(response, passing, file, { signal });
    else await pipeline(response, unpackers.get(to.unpack)!(), passing, file, { signal });
  } finally {
    // A write may still be running, and would add bytes after the next attempt has measured the file.
    if (!file.closed) await new Promise<void>((resolve) => file.once("close", () => resolve()));
  }
  return bytes;
}

const ownEncodings: ReadonlyMap<string, RegExp> = new Map([
  ["gzip", /\.(?:t?gz|svgz)$/i],
  ["x-gzip", /\.(?:t?gz|svgz)$/i],
  ["br", /\.br$/i],
  ["zstd", /\.zst$/i],
]);

const unpackers: ReadonlyMap<string, () => NodeJS.ReadWriteStream> = new Map([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
]);

/**
 * The encoding to undo, for servers that send one unasked; undefined where the bytes stay as they are. Servers that send
 * `a.tar.gz` with the encoding gzip, or `a.br` with br, mean the file itself.
 */
export function unpackOf(encoding: string | undefined, fileName: string): string | undefined {
  if (encoding === undefined || (ownEncodings.get(encoding)?.test(fileName) ?? false)) return undefined;
  if (!unpackers.has(encoding)) throw new PermanentError(`sent as "${encoding}", although no encoding was asked for`);
  return encoding;
}
