import { pipeline, type Readable, Transform } from "node:stream";
import zlib from "node:zlib";
import { KagurazakaError } from "../../base/errors.js";
import { memoizePromise } from "../../base/memoize-promise.js";
import { type FramePiece, ZstdFrames } from "./zstd-frames.js";

/**
 * Zstandard two ways. Node has it from 22.15 on, as a stream. For older versions there is a codec in WebAssembly, which packs
 * and unpacks whole frames only: a frame that is too large for memory is refused.
 */

/** The most a frame may have, unpacked, where Node cannot unpack it as a stream. */
const MAX_FRAME_BYTES = 256 * 2 ** 20;

/** The bytes that are packed into one frame where Node cannot pack as a stream. */
const PACKED_FRAME_BYTES = 4 * 2 ** 20;

const LEVEL = 3;

interface NativeZstd {
  createZstdDecompress?(options: { chunkSize: number }): Transform;
  createZstdCompress?(): Transform;
}

const native = zlib as unknown as NativeZstd;

interface UnpackOptions {
  /** Named in errors. */
  readonly path: string;
  readonly chunkBytes: number;
  /** @defaultValue 256 MiB */
  readonly maxFrameBytes?: number;
  /** With Node's own codec, where it has one. @defaultValue true */
  readonly natively?: boolean;
}

/** The contents of all frames of a file. */
export async function* unpackZstd(packed: Readable, options: UnpackOptions): AsyncGenerator<Buffer> {
  const frames = new ZstdFrames();
  const pieces = piecesOf(packed, frames);
  try {
    if (native.createZstdDecompress && options.natively !== false) yield* unpackStreams(pieces, options);
    else yield* unpackFrames(pieces, options);
    // Node 22 takes a truncated file for a whole one.
    if (!frames.isAtEnd) throw new Error("it ends in the middle of a frame");
  } finally {
    packed.destroy();
  }
}

async function* piecesOf(packed: Readable, frames: ZstdFrames): AsyncGenerator<FramePiece> {
  for await (const chunk of packed as AsyncIterable<Buffer>) yield* frames.push(chunk);
}

/** A stream per frame: Node's own stops at the end of the first frame, without an error. */
async function* unpackStreams(
  pieces: AsyncGenerator<FramePiece>,
  { chunkBytes }: UnpackOptions,
): AsyncGenerator<Buffer> {
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    const unpacked = native.createZstdDecompress!({ chunkSize: Math.max(64, chunkBytes) });
    // The reader of `unpacked` gets the error; the callback would only get it a second time.
    pipeline(restOfFrame(next.value, pieces), unpacked, () => {});
    yield* unpacked;
  }
}

async function* restOfFrame(first: FramePiece, pieces: AsyncGenerator<FramePiece>): AsyncGenerator<Buffer> {
  yield first.bytes;
  for (let isEnd = first.isEnd; !isEnd; ) {
    const next = await pieces.next();
    if (next.done) return;
    yield next.value.bytes;
    isEnd = next.value.isEnd;
  }
}

/** One frame in memory at a time. */
async function* unpackFrames(
  pieces: AsyncIterable<FramePiece>,
  { path, chunkBytes, maxFrameBytes = MAX_FRAME_BYTES }: UnpackOptions,
): AsyncGenerator<Buffer> {
  const codec = await loadCodec();
  let frame: Buffer[] = [];
  for await (const { bytes, isEnd, atMost, isSkipped } of pieces) {
    if (atMost > maxFrameBytes) throw tooLarge(path, maxFrameBytes);
    if (!isSkipped) frame.push(bytes);
    if (!isEnd) continue;
    const whole = frame.length === 1 ? frame[0]! : Buffer.concat(frame);
    frame = [];
    if (isSkipped || atMost === 0) continue;
    const unpacked = codec.decompress(whole, { defaultHeapSize: atMost });
    for (let at = 0; at < unpacked.length; at += chunkBytes)
      yield Buffer.from(unpacked.buffer, unpacked.byteOffset + at, Math.min(chunkBytes, unpacked.length - at));
  }
}

function tooLarge(path: string, maxFrameBytes: number): KagurazakaError {
  return new KagurazakaError(
    "generate-tasks",
    `${path} has a zstd frame of more than ${maxFrameBytes / 2 ** 20} MB, which Node ${process.versions.node} cannot unpack piece by piece`,
    {
      where: path,
      hint: "Run Node 22.15 or newer; or pipe it in, zstd -dc FILE | kagurazaka …, with - in place of the path; or pack it as .gz.",
    },
  );
}

/** Packs what is written to it; loads the codec where Node has none. */
export async function createPacker(): Promise<Transform> {
  if (native.createZstdCompress) return native.createZstdCompress();
  const codec = await loadCodec();
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  const pack = (stream: Transform): void => {
    if (waitingBytes > 0) stream.push(codec.compress(Buffer.concat(waiting), LEVEL));
    waiting = [];
    waitingBytes = 0;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes >= PACKED_FRAME_BYTES) pack(this);
      done();
    },
    flush(done) {
      pack(this);
      done();
    },
  });
}

type Codec = typeof import("@bokuweb/zstd-wasm");

const loadCodec = memoizePromise(async (): Promise<Codec> => {
  const loaded = await import("@bokuweb/zstd-wasm");
  await loaded.init();
  return loaded;
});

/** Packs blocks into frames, at once. */
export async function compressZstd(): Promise<(block: Uint8Array) => Uint8Array> {
  const { zstdCompressSync } = zlib as unknown as { zstdCompressSync?: (block: Uint8Array) => Buffer };
  if (zstdCompressSync) return zstdCompressSync;
  const codec = await loadCodec();
  return (block) => codec.compress(Buffer.from(block), LEVEL);
}

/** Unpacks whole blocks, at once. */
export async function zstdUnpacker(): Promise<(block: Uint8Array) => Uint8Array> {
  const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync?: (block: Uint8Array) => Buffer };
  if (zstdDecompressSync) return zstdDecompressSync;
  const { decompress } = await import("fzstd");
  return (block) => decompress(block);
}
