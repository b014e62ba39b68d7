import { ZstdFrames } from "../../bytes/zstd-frames.js";
import { longAt } from "./flatbuffer.js";
import { unpackLz4Frame } from "./lz4-frame.js";

/** In front of a compressed buffer stands its length; this one says that the buffer is not compressed, as it would not be smaller. */
const NOT_COMPRESSED = -1;
const PREFIX_BYTES = 8;
/** The most that a byte can become: LZ4 adds 255 to a length with each, Zstandard has blocks of one value. */
const MAX_RATIO = { lz4: 256, zstd: 40_000 };
/** The window of Zstandard's highest usual level; a larger one only for larger contents. */
const USUAL_ZSTD_WINDOW = 2 ** 23;

export type Unpack = (block: Uint8Array) => Uint8Array;

/** @throws Error for damage, before memory is taken for what its length says */
export function unpackBuffer(bytes: Buffer, codec: "lz4" | "zstd", unpackZstd: Unpack): Buffer {
  if (bytes.length === 0) return bytes;
  if (bytes.length < PREFIX_BYTES) throw new Error("a compressed buffer is too short");
  const length = longAt(bytes, 0);
  const packed = bytes.subarray(PREFIX_BYTES);
  if (length === NOT_COMPRESSED) return packed;
  if (length < 0 || length > MAX_RATIO[codec] * (packed.length + 64)) throw new Error("a compressed buffer is damaged");
  if (length === 0) return packed.subarray(0, 0);
  if (codec === "zstd") checkFrame(packed, length);
  const unpacked = codec === "zstd" ? unpackZstd(packed) : unpackLz4Frame(packed, length);
  if (unpacked.length !== length) throw new Error("a compressed buffer is damaged");
  // Copied where typed arrays of any kind could not begin.
  if (unpacked.byteOffset % 8 !== 0) return Buffer.from(new Uint8Array(unpacked).buffer);
  return Buffer.from(unpacked.buffer, unpacked.byteOffset, unpacked.length);
}

/** What a frame says of itself is what memory is taken for. */
function checkFrame(packed: Buffer, length: number): void {
  const pieces = new ZstdFrames().push(packed);
  const isOne = pieces.length > 0 && pieces[0]!.isEnd && !pieces[0]!.isSkipped;
  const isWhole = packed[4]! & 0x20;
  const window = packed[5]!;
  const windowBytes = isWhole ? 0 : 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  const most = pieces[0]?.atMost ?? 0;
  if (
    !isOne ||
    most < length ||
    most > MAX_RATIO.zstd * (packed.length + 64) ||
    windowBytes > Math.max(USUAL_ZSTD_WINDOW, 2 * length)
  )
    throw new Error("a compressed buffer is damaged");
}
