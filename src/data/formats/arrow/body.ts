import type { DataFile } from "../../stores/store.js";
import type { Body } from "./arrays.js";
import { type Unpack, unpackBuffer } from "./compressed.js";
import { type BatchHeader, type BufferPlace, type Message, messageOf } from "./headers.js";
import type { MessagePlace } from "./messages.js";

/** Parts with no more than this between them are read at once. */
const GAP_BYTES = 64 << 10;

/** The metadata of a message, and its body where that was read with it. */
interface ReadMessage {
  readonly message: Message;
  /** In the body, which begins at 0. */
  readonly pieces: readonly Piece[];
}

interface Piece {
  readonly from: number;
  readonly bytes: Buffer;
}

/** @param isWhole all of the body will be needed */
export async function readMessage(file: DataFile, place: MessagePlace, isWhole: boolean): Promise<ReadMessage> {
  const { offset, metadataBytes, bodyBytes } = place;
  const withBody = isWhole || bodyBytes <= GAP_BYTES;
  const bytes = await readAll(file, offset, metadataBytes + (withBody ? bodyBytes : 0));
  const message = messageOf(bytes.subarray(bytes.readInt32LE(0) === -1 ? 8 : 4, metadataBytes));
  if (message.bodyBytes !== bodyBytes) throw new Error("the file has changed");
  return { message, pieces: withBody ? [{ from: 0, bytes: bytes.subarray(metadataBytes) }] : [] };
}

/** The parts of a body that hold these buffers. */
export async function readBody(
  file: DataFile,
  place: MessagePlace,
  read: ReadMessage,
  buffers: readonly BufferPlace[],
): Promise<readonly Piece[]> {
  if (read.pieces.length > 0) return read.pieces;
  const begin = place.offset + place.metadataBytes;
  const pieces: Piece[] = [];
  for (const { from, to } of spansOf(buffers))
    pieces.push({ from, bytes: await readAll(file, begin + from, to - from) });
  return pieces;
}

export const bodyOf = (pieces: readonly Piece[], codec: BatchHeader["codec"], unpackZstd: Unpack): Body => ({
  bytes({ offset, length }) {
    if (length === 0) return Buffer.alloc(0);
    const piece = pieces.find(({ from, bytes }) => from <= offset && offset + length <= from + bytes.length)!;
    const bytes = piece.bytes.subarray(offset - piece.from, offset - piece.from + length);
    return codec ? unpackBuffer(bytes, codec, unpackZstd) : bytes;
  },
});

async function readAll(file: DataFile, offset: number, length: number): Promise<Buffer> {
  const bytes = await file.read(offset, length);
  if (bytes.length < length) throw new Error("the file has become shorter");
  return bytes;
}

/** From multiples of 8, where numbers of any kind begin. */
function spansOf(buffers: readonly BufferPlace[]): { from: number; to: number }[] {
  const spans: { from: number; to: number }[] = [];
  for (const { offset, length } of [...buffers].sort((one, other) => one.offset - other.offset)) {
    if (length === 0) continue;
    const last = spans.at(-1);
    if (last && offset <= last.to + GAP_BYTES) last.to = Math.max(last.to, offset + length);
    else spans.push({ from: offset - (offset % 8), to: offset + length });
  }
  return spans;
}
