import zlib from "node:zlib";
import { compressZstd } from "../../bytes/zstd.js";
import { compressLz4 } from "./lz4.js";

/** The one file that loads hyparquet-writer: its snappy, and how headers and footers are put into bytes. */
export async function loadWriteEngine() {
  const [{ snappyCompress }, { writePageHeader }, { writeMetadata }, { writeIndexes }, { ByteWriter }] =
    await Promise.all([
      import("hyparquet-writer/src/snappy.js"),
      import("hyparquet-writer/src/datapage.js"),
      import("hyparquet-writer/src/metadata.js"),
      import("hyparquet-writer/src/indexes.js"),
      import("hyparquet-writer/src/bytewriter.js"),
    ]);
  return { snappyCompress, writePageHeader, writeMetadata, writeIndexes, ByteWriter };
}

export type WriteEngine = Awaited<ReturnType<typeof loadWriteEngine>>;

export interface Codec {
  /** As Parquet calls it. */
  readonly name: "UNCOMPRESSED" | "SNAPPY" | "GZIP" | "ZSTD" | "LZ4_RAW";
  compress(page: Uint8Array): Uint8Array;
}

export async function codecNamed(name: string, engine: WriteEngine): Promise<Codec> {
  switch (name) {
    case "snappy":
      // No Buffer: it is cut into many parts. Copied: the page stays until its row group ends, and what it was made in is larger.
      return {
        name: "SNAPPY",
        compress: ({ buffer, byteOffset, length }) =>
          engine.snappyCompress(new Uint8Array(buffer, byteOffset, length)).slice(),
      };
    case "gzip":
      return { name: "GZIP", compress: (page) => zlib.gzipSync(page) };
    case "zstd":
      return { name: "ZSTD", compress: await compressZstd() };
    case "lz4":
      return { name: "LZ4_RAW", compress: (page) => Uint8Array.from(compressLz4(page)) };
  }
  return { name: "UNCOMPRESSED", compress: (page) => page };
}
