import type { Row } from "../../batch/batch.js";
import { blockPacker } from "../../bytes/pack-block.js";
import { NotText } from "../../features/not-text.js";
import { FileSink } from "../../stores/file-sink.js";
import { type Packing, type ShardWriter, UnwritableRow, type WrittenFile } from "../format.js";

/** Text is packed and written in blocks of at most this size. */
const BLOCK_BYTES = 1 << 20;
/** Rows are joined to about this length before they become bytes: longer strings leave the processor's cache. */
const PIECE_CHARACTERS = 1 << 13;

interface TextWriterOptions {
  readonly path: string;
  readonly packing: Packing;
  /** Written first; for a CSV file its header. */
  readonly head?: string;
  /** Written last. */
  readonly tail?: string;
  /** A row with all that ends it. @param index of the row in the file */
  readonly textOf: (row: Row, index: number) => string;
}

/** A text file that is packed in blocks: each is a member of gzip, a frame of zstd. */
export async function openTextWriter(options: TextWriterOptions): Promise<ShardWriter> {
  const pack = await blockPacker(options.packing);
  return new TextWriter(options, pack);
}

class TextWriter implements ShardWriter {
  readonly #options: TextWriterOptions;
  readonly #pack: (block: Buffer) => Uint8Array;
  readonly #sink: FileSink;
  readonly #block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #filled = 0;
  #text: string;
  #rows = 0;

  constructor(options: TextWriterOptions, pack: (block: Buffer) => Uint8Array) {
    this.#options = options;
    this.#pack = pack;
    this.#sink = new FileSink(options.path);
    this.#text = options.head ?? "";
  }

  async writeRows(rows: readonly Row[]): Promise<void> {
    for (let i = 0; i < rows.length; i++) {
      this.#text += this.#textOf(rows[i]!, i);
      if (this.#text.length >= PIECE_CHARACTERS) this.#encode();
    }
  }

  #textOf(row: Row, index: number): string {
    try {
      const text = this.#options.textOf(row, this.#rows);
      this.#rows++;
      return text;
    } catch (error) {
      // A getter of the row, say, or a text that is too long for a string.
      const message = error instanceof Error ? error.message : String(error);
      throw new UnwritableRow(index, error instanceof NotText ? message : `it cannot be made text: ${message}`);
    }
  }

  #encode(): void {
    const text = this.#text;
    this.#text = "";
    // A UTF-16 unit is three bytes at most.
    const most = text.length * 3;
    if (most > BLOCK_BYTES - this.#filled) this.#flush();
    if (most > BLOCK_BYTES) this.#sink.write(this.#pack(Buffer.from(text)));
    else this.#filled += this.#block.write(text, this.#filled);
  }

  #flush(): void {
    if (this.#filled > 0) this.#sink.write(this.#pack(this.#block.subarray(0, this.#filled)));
    this.#filled = 0;
  }

  async finish(): Promise<WrittenFile> {
    this.#text += this.#options.tail ?? "";
    this.#encode();
    this.#flush();
    // A file without any byte would be no gzip file.
    if (this.#sink.bytes === 0) this.#sink.write(this.#pack(Buffer.alloc(0)));
    const sha256 = this.#sink.finish();
    return { rows: this.#rows, bytes: this.#sink.bytes, sha256 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sink[Symbol.dispose]();
  }
}
