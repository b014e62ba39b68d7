import { gzipSync } from "node:zlib";
import type { Row } from "../../../src/data/batch/batch.js";
import { blockPacker } from "../../../src/data/bytes/pack-block.js";
import type { Features } from "../../../src/data/features/feature.js";
import type { Packing, ReadRequest } from "../../../src/data/formats/format.js";
import { formatOptions } from "../../../src/data/formats/options.js";
import { loadFormat } from "../../../src/data/formats/registry.js";
import type { DataFile } from "../../../src/data/stores/store.js";

/** A file in memory, which gives its bytes in chunks of a size, in a buffer that is used again. */
export class MemoryFile implements DataFile {
  readonly name = "memory";
  readonly #bytes: Buffer;
  readonly #chunkBytes: number;

  constructor(bytes: Buffer | string, chunkBytes = 1 << 20) {
    this.#bytes = Buffer.from(bytes);
    this.#chunkBytes = chunkBytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    return Buffer.from(this.#bytes.subarray(offset, offset + length));
  }

  async *stream(from: number, to: number): AsyncGenerator<Buffer> {
    const reused = Buffer.alloc(this.#chunkBytes);
    for (let at = from; at < to; at += this.#chunkBytes) {
      const length = Math.min(this.#chunkBytes, to - at);
      this.#bytes.copy(reused, 0, at, at + length);
      yield reused.subarray(0, length);
      reused.fill(0);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

export interface TextCase {
  readonly format: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly features?: Features;
  readonly packing?: Packing;
  readonly chunkBytes?: number;
}

export async function openText(
  text: Buffer | string,
  { format, options, features, packing = "none", chunkBytes }: TextCase,
) {
  const definition = await loadFormat(format);
  return definition.open({
    file: new MemoryFile(text, chunkBytes),
    packing,
    options: formatOptions(definition.options, options) as never,
    features,
  });
}

export async function readText(text: Buffer | string, given: TextCase, request: ReadRequest = {}): Promise<Row[]> {
  await using reader = await openText(text, given);
  const rows: Row[] = [];
  for await (const block of reader.rows!(request)) rows.push(...block.rows);
  return rows;
}

export const packed = async (text: string, packing: Packing): Promise<Buffer> =>
  packing === "gzip" ? gzipSync(text) : Buffer.from((await blockPacker(packing))(Buffer.from(text)));
