import zlib from "node:zlib";
import { memoizePromise } from "../../../base/memoize-promise.js";

/** The one file that loads hyparquet and its companions. */
export type Engine = Awaited<ReturnType<typeof load>>;

/** Where a data page begins in its file, and its first row in the row group. */
export type PageLocation = ReturnType<Engine["readOffsetIndex"]>["page_locations"][number];

export const loadEngine = memoizePromise(load);

async function load() {
  const [{ parquetMetadata, parquetSchema }, { readOffsetIndex }, column, delta, encoding, { compressors }] =
    await Promise.all([
      import("hyparquet"),
      import("hyparquet/src/indexes.js"),
      import("hyparquet/src/column.js"),
      import("hyparquet/src/delta.js"),
      import("hyparquet/src/encoding.js"),
      import("hyparquet-compressors"),
    ]);
  return {
    parquetMetadata,
    parquetSchema,
    parquetHeader: column.parquetHeader,
    readOffsetIndex,
    ...delta,
    byteStreamSplit: encoding.byteStreamSplit,
    decompressors: { ...compressors, ...native } as Readonly<Record<string, Decompress | undefined>>,
  };
}

type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync?: (bytes: Uint8Array) => Buffer };

/** Node's own are faster than those in JavaScript. */
const native: Readonly<Record<string, Decompress>> = {
  GZIP: (bytes, size) => zlib.gunzipSync(bytes, { maxOutputLength: Math.max(1, size) }),
  BROTLI: (bytes, size) => zlib.brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, size) }),
  ...(zstdDecompressSync && { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) }),
};
