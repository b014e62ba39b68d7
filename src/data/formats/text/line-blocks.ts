import type { DataFile } from "../../stores/store.js";
import type { Packing } from "../format.js";
import { unpacked } from "./unpack.js";

const NEWLINE = 10;
/** What is read behind the end of a range, where its last line goes on. */
const TAIL_BYTES = 1 << 16;

/**
 * A block has about as many bytes: its text and its rows fit the processor's cache, and most of them are garbage before the collector
 * comes. Reading is a third faster than with blocks of 1 MB.
 */
const BLOCK_BYTES = 1 << 16;

interface LineRange {
  /** Bytes. A line belongs to the range in which its first byte lies. A packed file is read whole. */
  readonly from: number;
  readonly to: number;
  readonly maxLineBytes: number;
  readonly chunkBytes?: number | undefined;
}

/** Whole lines, about `BLOCK_BYTES` of them, the last of the file perhaps without a newline; or one line that is too long to be kept. */
export type LineBlock = { readonly bytes: Buffer; readonly isTooLong: boolean };

/**
 * The lines of a range of a text file. Any cutting of a file into ranges gives each line
 * once: a range that begins inside a line begins with the next one, and the range before reads that line to its end.
 */
export async function* lineBlocks(file: DataFile, packing: Packing, range: LineRange): AsyncGenerator<LineBlock> {
  const lines = new Lines(range.maxLineBytes);
  const isPart = packing === "none";
  // The newline that ends the line before may be the last byte in front of the range.
  const skipsFirst = isPart && range.from > 0;
  let at = skipsFirst ? range.from - 1 : 0;
  let isSkipping = skipsFirst;
  for await (let chunk of isPart ? bytesFrom(file, at, range) : unpacked(file, packing, range.chunkBytes)) {
    at += chunk.length;
    if (isSkipping) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) {
        if (at >= range.to) return;
        continue;
      }
      isSkipping = false;
      chunk = chunk.subarray(newline + 1);
    }
    const start = at - chunk.length;
    // The first line end at or behind the last byte of the range ends the range.
    if (isPart && start >= range.to && lines.isAtStart) return;
    const last = isPart && at >= range.to ? chunk.indexOf(NEWLINE, Math.max(0, range.to - 1 - start)) : -1;
    yield* lines.push(last < 0 ? chunk : chunk.subarray(0, last + 1));
    if (last >= 0) return;
  }
  yield* lines.end();
}

async function* bytesFrom(file: DataFile, from: number, { to, chunkBytes }: LineRange): AsyncGenerator<Buffer> {
  yield* file.stream(from, Math.min(to, file.size), chunkBytes);
  yield* file.stream(Math.min(to, file.size), file.size, Math.min(chunkBytes ?? TAIL_BYTES, TAIL_BYTES));
}

/** Cuts chunks into blocks of whole lines. Copies only a line that lies in several chunks. */
class Lines {
  readonly #maxLineBytes: number;
  #begun: Buffer[] = [];
  #begunBytes = 0;
  /** The line that is too long goes on. */
  #isOverlong = false;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  get isAtStart(): boolean {
    return this.#begunBytes === 0 && !this.#isOverlong;
  }

  *push(chunk: Buffer): Generator<LineBlock> {
    let start = 0;
    if (!this.isAtStart) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) return yield* this.#begin(chunk);
      start = newline + 1;
      if (!this.#isOverlong) yield this.#line(Buffer.concat([...this.#begun, chunk.subarray(0, start)]));
      this.#begun = [];
      this.#begunBytes = 0;
      this.#isOverlong = false;
    }
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    while (start < end) {
      const stop = chunk.indexOf(NEWLINE, Math.min(end, start + BLOCK_BYTES) - 1) + 1;
      const block = chunk.subarray(start, stop);
      if (block.length <= this.#maxLineBytes) yield { bytes: block, isTooLong: false };
      else yield* this.#oneByOne(block);
      start = stop;
    }
    if (start < chunk.length) yield* this.#begin(chunk.subarray(start));
  }

  /** A line that has no end yet. */
  *#begin(part: Buffer): Generator<LineBlock> {
    if (this.#isOverlong) return;
    this.#begun.push(Buffer.from(part));
    this.#begunBytes += part.length;
    if (this.#begunBytes <= this.#maxLineBytes) return;
    yield { bytes: this.#begun[0]!, isTooLong: true };
    this.#begun = [];
    this.#begunBytes = 0;
    this.#isOverlong = true;
  }

  *#oneByOne(block: Buffer): Generator<LineBlock> {
    for (let start = 0; start < block.length; ) {
      const stop = block.indexOf(NEWLINE, start) + 1;
      yield this.#line(block.subarray(start, stop));
      start = stop;
    }
  }

  #line(bytes: Buffer): LineBlock {
    return { bytes, isTooLong: bytes.length - 1 > this.#maxLineBytes };
  }

  *end(): Generator<LineBlock> {
    if (this.#begunBytes > 0) yield { bytes: Buffer.concat(this.#begun), isTooLong: false };
  }
}
