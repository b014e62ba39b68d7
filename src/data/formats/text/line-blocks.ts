import type { DataFile } from "../../stores/store.js";
import type { Packing } from "../format.js";
import { unpacked } from "./unpack.js";

const NEWLINE = 10;
/** What is read behind the end of a range, where its last line goes on. */
const TAIL_BYTES = 1 << 16;

interface LineRange {
  /** Bytes. A line belongs to the range in which its first byte lies. A packed file is read whole. */
  readonly from: number;
  readonly to: number;
  readonly maxLineBytes: number;
  readonly chunkBytes?: number | undefined;
}

/** Whole lines, the last of the file perhaps without a newline; or one line that is too long to be kept. */
export type LineBlock = { readonly bytes: Buffer; readonly isTooLong: boolean };

/**
 * The lines of a range of a text file, as many in a block as end in one chunk. Any cutting of a file into ranges gives each line
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

/** Collects chunks into blocks of whole lines. Copies only what stands behind the last newline of a chunk. */
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
    let rest = chunk;
    if (this.#isOverlong) {
      const newline = rest.indexOf(NEWLINE);
      if (newline < 0) return;
      this.#isOverlong = false;
      rest = rest.subarray(newline + 1);
    }
    const end = rest.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const whole = rest.subarray(0, end);
      yield { bytes: this.#begunBytes === 0 ? whole : Buffer.concat([...this.#begun, whole]), isTooLong: false };
      this.#begun = [];
      this.#begunBytes = 0;
    }
    if (end === rest.length) return;
    this.#begun.push(Buffer.from(rest.subarray(end)));
    this.#begunBytes += rest.length - end;
    if (this.#begunBytes <= this.#maxLineBytes) return;
    yield { bytes: this.#begun[0]!, isTooLong: true };
    this.#begun = [];
    this.#begunBytes = 0;
    this.#isOverlong = true;
  }

  *end(): Generator<LineBlock> {
    if (this.#begunBytes > 0) yield { bytes: Buffer.concat(this.#begun), isTooLong: false };
  }
}
