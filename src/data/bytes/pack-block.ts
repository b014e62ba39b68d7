import zlib from "node:zlib";
import { compressZstd } from "./zstd.js";

/** Packs a block on its own: the packed blocks in a row are one file. */
export async function blockPacker(packing: "none" | "gzip" | "zstd"): Promise<(block: Buffer) => Uint8Array> {
  if (packing === "none") return (block) => block;
  return packing === "gzip" ? (block) => zlib.gzipSync(block) : await compressZstd();
}
