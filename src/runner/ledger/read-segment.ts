import { closeSync, fstatSync, readSync } from "node:fs";
import { nextTurn } from "../../base/clock.js";
import { environmentError, readFully } from "../../base/disk.js";
import { openOwn, withOwnFile } from "../../base/own-file.js";

const BLOCK_BYTES = 1024 * 1024;
const MIN_BLOCK_BYTES = 4096;
/** The scope of an epoch over ten million keys takes 110 MB. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;
/** How many bytes are read before the event loop handles timers and signals. */
const TURN_BYTES = 16 * 1024 * 1024;

/** Whole lines in `bytes[start, end)`, which begin at `offset` of the file. `last`: the end of the file, a newline may be missing. */
export interface Block {
  readonly bytes: Buffer;
  readonly end: number;
  readonly offset: number;
  readonly last: boolean;
}

/**
 * Reads a file of lines in blocks that end with a newline. A block is valid until the next one is requested. Memory is one
 * megabyte, or the longest line. Bytes after the last newline are the `last` block.
 */
export async function* readBlocks(path: string, from = 0): AsyncGenerator<Block> {
  let fd: number | undefined;
  try {
    fd = openOwn(path, "read");
    // Many segments are small: allocates the size of the file, and one byte to detect its end.
    const rest = fstatSync(fd).size - from + 1;
    let bytes = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, Math.max(MIN_BLOCK_BYTES, rest)));
    let kept = 0;
    let offset = from;
    let sinceTurn = 0;
    for (;;) {
      const size = readSync(fd, bytes, kept, bytes.length - kept, offset + kept);
      if (size === 0) break;
      const filled = kept + size;
      const newline = bytes.lastIndexOf(0x0a, filled - 1);
      // lastIndexOf searches the whole buffer before `filled`; bytes below `kept` have no newline.
      const end = newline + 1;
      if (end > 0) yield { bytes, end, offset, last: false };
      bytes.copyWithin(0, end, filled);
      kept = filled - end;
      offset += end;
      if (kept > MAX_LINE_BYTES) throw new Error(`it is no text: from byte ${offset} on, no line ends for 256 MB`);
      if (kept === bytes.length) bytes = Buffer.concat([bytes, Buffer.allocUnsafe(bytes.length)]);
      sinceTurn += size;
      if (sinceTurn >= TURN_BYTES) {
        sinceTurn = 0;
        await nextTurn();
      }
    }
    if (kept > 0) yield { bytes, end: kept, offset, last: true };
  } catch (error) {
    throw environmentError("read", path, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The first bytes of a file, at most `size`. */
export function readHead(path: string, size: number): Buffer {
  try {
    return withOwnFile(path, (fd) => {
      const bytes = Buffer.allocUnsafe(Math.min(size, fstatSync(fd).size));
      return bytes.subarray(0, readFully(fd, bytes, 0));
    });
  } catch (error) {
    throw environmentError("read", path, error);
  }
}
