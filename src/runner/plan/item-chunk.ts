import type { Chunk, ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import { packKeys } from "../../contracts/wire.js";

/** A chunk with a `PendingItem` per item: retries, files, records that cannot be packed. All items share one header. */
export class ItemChunk implements Chunk {
  readonly header: ChunkHeader;
  readonly #items: readonly PendingItem[];

  /** @param items at least one */
  constructor(items: readonly PendingItem[]) {
    this.header = items[0]!.header;
    this.#items = items;
  }

  get count(): number {
    return this.#items.length;
  }

  keyAt(index: number): string {
    return this.#items[index]!.key;
  }

  sizeAt(index: number): number {
    return this.#items[index]!.json.length;
  }

  itemAt(index: number): PendingItem {
    return this.#items[index]!;
  }

  itemsText(from: number, to: number, separator = ","): string {
    return this.#slice(from, to, ({ json }) => json).join(separator);
  }

  keysText(from: number, to: number): string {
    return packKeys(this.#slice(from, to, ({ key }) => key));
  }

  attempts(from: number, to: number): Record<number, number> | undefined {
    let attempts: Record<number, number> | undefined;
    for (let i = from; i < to; i++) {
      const { attempt } = this.#items[i]!;
      if (attempt === 1) continue;
      attempts ??= {};
      attempts[i - from] = attempt;
    }
    return attempts;
  }

  keyBytesAt(): undefined {
    return undefined;
  }

  #slice(from: number, to: number, read: (pending: PendingItem) => string): string[] {
    const out: string[] = [];
    for (let i = from; i < to; i++) out.push(read(this.#items[i]!));
    return out;
  }
}
