import { writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { deserialize, serialize } from "node:v8";

const HEADER_BYTES = 4;

/**
 * Writes a message to a pipe, after its length. Synchronous and complete, so that the message arrives even if the process
 * crashes right after it. (Node's IPC channel buffers what does not fit into the pipe in the sender's memory.)
 */
export function writeFrame(fd: number, message: unknown): void {
  const body = serialize(message);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  frame.writeUInt32LE(body.length);
  body.copy(frame, HEADER_BYTES);
  for (let at = 0; at < frame.length; ) at += writeSync(fd, frame, at);
}

/** Calls back with each message. A last message that is cut off is ignored. */
export function readFrames(stream: Readable, onMessage: (message: unknown) => void): void {
  let chunks: Buffer[] = [];
  let got = 0;
  let wanted = HEADER_BYTES;
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    got += chunk.length;
    // A large message comes in many pieces, which are concatenated only once.
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
