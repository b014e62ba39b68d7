import { memoizePromise } from "../../../base/memoize-promise.js";
import { compressZstd } from "../../bytes/zstd.js";
import { packLz4Frame } from "./lz4-frame.js";

type Arrow = typeof import("apache-arrow");
type FileMetadata = typeof import("apache-arrow/ipc/metadata/file");

/** The one file that loads apache-arrow. */
export type ArrowEngine = Arrow &
  Pick<FileMetadata, "Footer" | "FileBlock"> & {
    readonly StreamWriter: new (
      ...options: ConstructorParameters<Arrow["RecordBatchStreamWriter"]>
    ) => InstanceType<Arrow["RecordBatchStreamWriter"]> & PartsWriter;
  };

interface PartsWriter {
  /** What was written. Not joined: that would copy all of it once more. */
  readonly parts: readonly Uint8Array[];
}

export const loadArrow = memoizePromise(load);

async function load(): Promise<ArrowEngine> {
  const [arrow, { Footer, FileBlock }] = await Promise.all([
    import("apache-arrow"),
    import("apache-arrow/ipc/metadata/file"),
  ]);
  const { compressionRegistry, CompressionType } = arrow;
  compressionRegistry.set(CompressionType.LZ4_FRAME, { encode: packLz4Frame });
  compressionRegistry.set(CompressionType.ZSTD, { encode: await compressZstd() });
  /** Of the library's writer: in front of a packed buffer it writes its length as packed, where Arrow wants it as unpacked. */
  class StreamWriter extends arrow.RecordBatchStreamWriter implements PartsWriter {
    readonly parts: Uint8Array[] = [];

    protected override _write(chunk: unknown) {
      const { buffer, byteOffset, byteLength } = chunk as ArrayBufferView;
      if (this._started && byteLength > 0) this.parts.push(new Uint8Array(buffer, byteOffset, byteLength));
      return this;
    }

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
