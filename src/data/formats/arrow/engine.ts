import { compressZstd, zstdUnpacker } from "../../bytes/zstd.js";
import { packLz4Frame, unpackLz4Frame } from "./lz4-frame.js";

type Arrow = typeof import("apache-arrow");
type FileMetadata = typeof import("apache-arrow/ipc/metadata/file");

/** The one file that loads apache-arrow. */
export type ArrowEngine = Arrow &
  Pick<FileMetadata, "Footer" | "FileBlock"> & { readonly StreamWriter: Arrow["RecordBatchStreamWriter"] };

let loaded: Promise<ArrowEngine> | undefined;

export function loadArrow(): Promise<ArrowEngine> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<ArrowEngine> {
  const [arrow, { Footer, FileBlock }] = await Promise.all([
    import("apache-arrow"),
    import("apache-arrow/ipc/metadata/file"),
  ]);
  const { compressionRegistry, CompressionType } = arrow;
  compressionRegistry.set(CompressionType.LZ4_FRAME, { encode: packLz4Frame, decode: unpackLz4Frame });
  const unpackZstd = await zstdUnpacker();
  // Copied to a buffer of its own, where typed arrays of any kind may begin.
  const decode = (block: Uint8Array): Uint8Array => new Uint8Array(unpackZstd(block));
  compressionRegistry.set(CompressionType.ZSTD, { encode: await compressZstd(), decode });
  /** Of the library's writer: in front of a packed buffer it writes its length as packed, where Arrow wants it as unpacked. */
  class StreamWriter extends arrow.RecordBatchStreamWriter {
    protected override _compressBodyBuffers(buffers: ArrayBufferView[]) {
      const packed = super._compressBodyBuffers(buffers);
      for (const [i, { byteLength }] of buffers.entries()) {
        const prefix = packed.buffers[2 * i]!;
        const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
        // -1: the buffer is not packed.
        if (prefix.byteLength === 8 && view.getBigInt64(0, true) !== -1n) view.setBigInt64(0, BigInt(byteLength), true);
      }
      return packed;
    }
  }
  return { ...arrow, Footer, FileBlock, StreamWriter };
}
