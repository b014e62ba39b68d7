import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { environmentError } from "../../../base/disk.js";
import { type CheckpointLine, isCheckpoint, parseLine } from "../lines.js";

const WINDOW_BYTES = 1024 * 1024;
/** No checkpoint is longer. */
const MARK_BYTES = 256;
const HEAD = Buffer.from('\n{"sync":');

/** The last checkpoint of a segment, looked for from its end, in its last `within` bytes. Damaged lines are passed over. */
export function readLastCheckpoint(path: string, within = Number.POSITIVE_INFINITY): CheckpointLine | undefined {
  try {
    const fd = openSync(path, "r");
    try {
      return lastMark(fd, within);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw environmentError("read", path, error);
  }
}

function lastMark(fd: number, within: number): CheckpointLine | undefined {
  const { size } = fstatSync(fd);
  const lowest = Math.max(0, size - within);
  const bytes = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, size));
  for (let end = size; end > lowest; ) {
    const start = Math.max(lowest, end - bytes.length);
    const read = readFully(fd, bytes, end - start, start);
    const found = lastIn(bytes.subarray(0, read));
    if (found) return found;
    if (start === lowest) return undefined;
    // A checkpoint may lie across the border of two windows.
    end = start + MARK_BYTES;
  }
  return undefined;
}

function lastIn(bytes: Buffer): CheckpointLine | undefined {
  for (let at = bytes.lastIndexOf(HEAD); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(HEAD, at - 1)) {
    const lineEnd = bytes.indexOf(0x0a, at + 1);
    const line = parseLine(bytes.toString("utf8", at + 1, lineEnd < 0 ? bytes.length : lineEnd));
    if (line !== undefined && isCheckpoint(line)) return line;
  }
  return undefined;
}

function readFully(fd: number, bytes: Buffer, length: number, position: number): number {
  let at = 0;
  while (at < length) {
    const size = readSync(fd, bytes, at, length - at, position + at);
    if (size === 0) break;
    at += size;
  }
  return at;
}
