import type { Row } from "../batch/batch.js";
import { bytesOf } from "../batch/bytes-of.js";

interface Block {
  readonly rows: Promise<readonly Row[]>;
  /** Unknown, and 0, until they are read. */
  bytes: number;
}

/** The blocks of rows that were used last, up to so many bytes of memory; the very last one always. */
export class BlockCache {
  readonly #most: number;
  readonly #blocks = new Map<string, Block>();
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string, read: () => Promise<readonly Row[]>): Promise<readonly Row[]> {
    const known = this.#blocks.get(key);
    if (known) {
      // A Map keeps the order of insertion: the first one is the one that was not used for longest.
      this.#blocks.delete(key);
      this.#blocks.set(key, known);
      return known.rows;
    }
    const block: Block = { rows: read().then((rows) => this.#measured(key, block, rows)), bytes: 0 };
    this.#blocks.set(key, block);
    block.rows.catch(() => this.#remove(key, block));
    return block.rows;
  }

  /** Lists are views of what was read with them, which the cache would hold too. */
  #measured(key: string, block: Block, rows: readonly Row[]): readonly Row[] {
    const kept = rows.map((row) => detached(row) as Row);
    if (this.#blocks.get(key) !== block) return kept;
    block.bytes = bytesOf(kept);
    this.#bytes += block.bytes;
    for (const [oldest, old] of this.#blocks) {
      if (this.#bytes <= this.#most || oldest === key) break;
      if (old.bytes > 0) this.#remove(oldest, old);
    }
    return kept;
  }

  #remove(key: string, block: Block): void {
    if (this.#blocks.get(key) !== block) return;
    this.#blocks.delete(key);
    this.#bytes -= block.bytes;
  }

  clear(): void {
    this.#blocks.clear();
    this.#bytes = 0;
  }
}

/** The same value, without a hold on memory that is larger than it. */
function detached(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) {
    const numbers = value as Int32Array;
    if (numbers.byteLength === numbers.buffer.byteLength) return value;
    return Buffer.isBuffer(value) ? Buffer.from(value) : numbers.slice();
  }
  if (Array.isArray(value)) return value.map(detached);
  const copy: Record<string, unknown> = {};
  for (const name in value) copy[name] = detached((value as Record<string, unknown>)[name]);
  return copy;
}
