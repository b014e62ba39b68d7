import { writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { deserialize, serialize } from "node:v8";

const HEADER_BYTES = 4;

/**
 * Messages on a pipe, each behind its length. Written at once and to the last byte: what a process has said arrives, even
 * if the very next thing it does is to crash. (Node's own channel keeps what does not fit into the pipe in the memory of
 * the sender, and that dies with it.)
 */
export function writeFrame(fd: number, message: unknown): void {
  const body = serialize(message);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  frame.writeUInt32LE(body.length);
  body.copy(frame, HEADER_BYTES);
  for (let at = 0; at < frame.length; ) at += writeSync(fd, frame, at);
}

/** Calls back with each message. A last one that is cut off was never said. */
export function readFrames(stream: Readable, onMessage: (message: unknown) => void): void {
  let chunks: Buffer[] = [];
  let got = 0;
  let wanted = HEADER_BYTES;
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    got += chunk.length;
    // A large message comes in many pieces, put together once.
    if (got < wanted) return;
    let rest = Buffer.concat(chunks, got);
    for (wanted = frameBytes(rest); rest.length >= wanted; wanted = frameBytes(rest)) {
      const body = rest.subarray(HEADER_BYTES, wanted);
      rest = rest.subarray(wanted);
      onMessage(deserialize(body));
    }
    chunks = [rest];
    got = rest.length;
  });
}

const frameBytes = (bytes: Buffer): number => HEADER_BYTES + (bytes.length < HEADER_BYTES ? 0 : bytes.readUInt32LE());
