import { Readable } from "node:stream";
import { KagurazakaError } from "../../../base/errors.js";
import { unpackZstd } from "../../bytes/zstd.js";
import type { DataFile } from "../../stores/store.js";
import type { Packing } from "../format.js";

const CHUNK_BYTES = 1 << 20;

/** The contents of a packed file, as one stream. A chunk is valid until the next one is asked for. */
export async function* unpacked(file: DataFile, packing: Packing, chunkBytes = CHUNK_BYTES): AsyncGenerator<Buffer> {
  try {
    if (packing === "none") yield* file.stream(0, file.size, chunkBytes);
    else if (packing === "gzip") yield* gunzipped(file, chunkBytes);
    else yield* unpackZstd(Readable.from(copies(file)), { path: file.name, chunkBytes });
  } catch (error) {
    if (KagurazakaError.is(error)) throw error;
    const { message } = error as Error;
    throw new KagurazakaError("bad-data", `${file.name} cannot be unpacked to its end: ${message}`, {
      where: file.name,
      hint: "The file is cut off or damaged. Rows before that place were read.",
      cause: error,
    });
  }
}

async function* gunzipped(file: DataFile, chunkBytes: number): AsyncGenerator<Buffer> {
  const { createGunzip } = await import("node:zlib");
  const { pipeline } = await import("node:stream");
  const unzipped = createGunzip({ chunkSize: Math.max(64, chunkBytes) });
  // The reader of `unzipped` gets the error; the callback would only get it a second time.
  pipeline(Readable.from(copies(file)), unzipped, () => {});
  yield* unzipped;
}

/** Streams keep chunks; those of a file are reused. */
async function* copies(file: DataFile): AsyncGenerator<Buffer> {
  for await (const chunk of file.stream(0, file.size, 1 << 18)) yield Buffer.from(chunk);
}
