import type { Row } from "../batch/batch.js";

interface Block {
  readonly rows: Promise<readonly Row[]>;
  readonly bytes: number;
}

/** The blocks of rows that were used last, up to so many bytes of their files; the very last one always. */
export class BlockCache {
  readonly #most: number;
  readonly #blocks = new Map<string, Block>();
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string, bytes: number, read: () => Promise<readonly Row[]>): Promise<readonly Row[]> {
    const known = this.#blocks.get(key);
    if (known) {
      // A Map keeps the order of insertion: the first one is the one that was not used for longest.
      this.#blocks.delete(key);
      this.#blocks.set(key, known);
      return known.rows;
    }
    const block: Block = { rows: read(), bytes };
    this.#blocks.set(key, block);
    this.#bytes += bytes;
    block.rows.catch(() => this.#remove(key, block));
    for (const [oldest, old] of this.#blocks) {
      if (this.#bytes <= this.#most || old === block) break;
      this.#remove(oldest, old);
    }
    return block.rows;
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
