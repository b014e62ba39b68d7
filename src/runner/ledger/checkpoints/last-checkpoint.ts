import { fstatSync } from "node:fs";
import { environmentError, readFully } from "../../../base/disk.js";
import { withOwnFile } from "../../../base/own-file.js";
import { type CheckpointLine, isCheckpoint } from "../lines.js";
import { parseSound } from "../sound-line.js";

const WINDOW_BYTES = 1024 * 1024;
/** The longest checkpoint line. */
const MAX_LINE_BYTES = 256;
const HEAD = Buffer.from('\n{"sync":');

interface Options {
  /** Every line has a checksum. */
  readonly isChecked: boolean;
  readonly within?: number;
}

/** Finds the last checkpoint in the last `within` bytes of a segment, from its end. Damaged lines are skipped. */
export function readLastCheckpoint(
  path: string,
  { isChecked, within = Number.POSITIVE_INFINITY }: Options,
): CheckpointLine | undefined {
  try {
    return withOwnFile(path, (fd) => findLast(fd, within, isChecked));
  } catch (error) {
    throw environmentError("read", path, error);
  }
}

function findLast(fd: number, within: number, isChecked: boolean): CheckpointLine | undefined {
  const { size } = fstatSync(fd);
  const lowest = Math.max(0, size - within);
  const bytes = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, size));
  for (let end = size; end > lowest; ) {
    const start = Math.max(lowest, end - bytes.length);
    const window = bytes.subarray(0, end - start);
    const found = lastIn(window.subarray(0, readFully(fd, window, start)), isChecked);
    if (found) return found;
    if (start === lowest) return undefined;
    // The windows overlap, because a checkpoint may lie across their border.
    end = start + MAX_LINE_BYTES;
  }
  return undefined;
}

function lastIn(bytes: Buffer, isChecked: boolean): CheckpointLine | undefined {
  for (let at = bytes.lastIndexOf(HEAD); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(HEAD, at - 1)) {
    const lineEnd = bytes.indexOf(0x0a, at + 1);
    const line = parseSound(bytes, at + 1, lineEnd < 0 ? bytes.length : lineEnd, isChecked);
    if (line !== undefined && isCheckpoint(line)) return line;
  }
  return undefined;
}
