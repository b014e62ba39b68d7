import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { KagurazakaError } from "../../base/errors.js";
import { STANDARD_INPUT } from "./source-name.js";
import { readStandardInput, type StandardInputOptions } from "./standard-input.js";

export interface ReadChunksOptions extends StandardInputOptions {
  /** Bytes read at once. @defaultValue 1 MiB */
  readonly chunkBytes?: number;
}

/**
 * The contents of a file: `.gz` and `.zst` by name are unpacked, `-` is standard input. A chunk is valid until the next one is
 * asked for.
 *
 * @throws KagurazakaError `input-root` when the file cannot be opened; `generate-tasks` when it cannot be read to its end
 */
export async function* readChunks(source: string, options: ReadChunksOptions = {}): AsyncGenerator<Buffer> {
  const { signal } = options;
  for await (const chunk of source === STANDARD_INPUT ? readStandardInput(options) : readFileChunks(source, options)) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

async function* readFileChunks(path: string, { chunkBytes = 1 << 20 }: ReadChunksOptions): AsyncGenerator<Buffer> {
  const file = await openForReading(path);
  try {
    if (path.endsWith(".gz")) yield* readUnzipped(path, chunkBytes);
    else if (path.endsWith(".zst")) yield* readUnpackedZstd(path, chunkBytes);
    else yield* readPlain(file, chunkBytes);
  } catch (error) {
    if (KagurazakaError.is(error)) throw error;
    throw new KagurazakaError("generate-tasks", `cannot read ${path} to its end: ${(error as Error).message}`, {
      where: path,
      hint: "The file may be cut off or damaged.",
      cause: error,
    });
  } finally {
    await file.close();
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    throw new KagurazakaError("input-root", `cannot open ${path}: ${(error as Error).message}`, {
      where: path,
      hint: "Relative paths are relative to the working directory.",
      cause: error,
    });
  }
}

async function* readPlain(file: FileHandle, chunkBytes: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

const READ_BYTES = 1 << 18;

async function* readUnzipped(path: string, chunkBytes: number): AsyncGenerator<Buffer> {
  const { createGunzip } = await import("node:zlib");
  const unzipped = createGunzip({ chunkSize: Math.max(64, chunkBytes) });
  // The reader of `unzipped` gets the error; the callback would only get it a second time.
  pipeline(createReadStream(path, { highWaterMark: READ_BYTES }), unzipped, () => {});
  yield* unzipped;
}

async function* readUnpackedZstd(path: string, chunkBytes: number): AsyncGenerator<Buffer> {
  const { unpackZstd } = await import("./zstd.js");
  yield* unpackZstd(createReadStream(path, { highWaterMark: READ_BYTES }), { path, chunkBytes });
}
