import type { PageHeader } from "hyparquet";
import type { DataFile } from "../../stores/store.js";
import type { Engine } from "./engine.js";

/** Where most headers end. */
const HEADER_BYTES = 1 << 12;

interface ChunkBytesOptions {
  readonly file: DataFile;
  readonly engine: Engine;
  /** Of the chunk in the file. */
  readonly from: number;
  readonly to: number;
  /** How much is read at once. */
  readonly windowBytes: number;
}

/** The bytes of a column chunk, read a window at a time. */
export class ChunkBytes {
  readonly #options: ChunkBytesOptions;
  #window: Uint8Array = new Uint8Array(0);
  /** Where the window lies in the file. */
  #from: number;

  constructor(options: ChunkBytesOptions) {
    const { file, from, to } = options;
    if (from < 0 || to < from || to > file.size) throw new Error("it lies behind the end of the file");
    this.#options = options;
    this.#from = from;
  }

  get from(): number {
    return this.#options.from;
  }

  /** The header of a page, and where its body begins. */
  async header(at: number): Promise<{ readonly header: PageHeader; readonly body: number }> {
    const rest = this.#options.to - at;
    if (rest <= 0) throw new Error("its pages end too early");
    for (let size = HEADER_BYTES; ; size *= 8) {
      const bytes = await this.bytes(at, Math.min(size, rest));
      const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
      try {
        const header = this.#options.engine.parquetHeader(reader);
        if (!(header.compressed_page_size >= 0)) throw new Error("a page has no size");
        return { header, body: at + reader.offset };
      } catch (error) {
        // Statistics of long texts make long headers.
        if (!(error instanceof RangeError) || size >= rest) throw error;
      }
    }
  }

  /** Valid for ever. @throws Error for what is not in the chunk */
  async bytes(at: number, length: number): Promise<Uint8Array> {
    if (at < this.#options.from || at + length > this.#options.to) throw new Error("a page is larger than its column");
    if (at < this.#from || at + length > this.#from + this.#window.length) await this.#read(at, length);
    return this.#window.subarray(at - this.#from, at - this.#from + length);
  }

  /** What the window holds already is not read again. */
  async #read(at: number, length: number): Promise<void> {
    const { file, to, windowBytes } = this.#options;
    const kept = at < this.#from ? new Uint8Array(0) : this.#window.subarray(at - this.#from);
    const size = Math.min(Math.max(length, windowBytes), to - at);
    const read = await file.read(at + kept.length, size - kept.length);
    if (kept.length + read.length < size) throw new Error("the file is shorter than it was");
    // No Buffer: its slices are views.
    const window = new Uint8Array(size);
    window.set(kept);
    window.set(read, kept.length);
    this.#window = window;
    this.#from = at;
  }
}
