import { type Chunk, type ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import type { ChunkMessage } from "../../contracts/fleet.js";
import { packKeys, unpackKeys } from "../../contracts/wire.js";

/** A part of a chunk as it is sent to a node. One item a line, because our JSON has no line breaks. */
export function encodeChunk(id: number, chunk: Chunk, from: number, to: number): ChunkMessage {
  const attempts = chunk.attempts(from, to);
  const text = { items: chunk.itemsText(from, to, "\n"), keys: chunk.keysText(from, to) };
  return { id, count: to - from, ...text, ...chunk.header, ...(attempts && { attempts }) };
}

/** An item of a received chunk, once it needs state of its own. */
export class QueueItem extends PendingItem {
  /** Id of its chunk. */
  readonly chunk: number;
  /** Its index there. */
  readonly index: number;
  /** It has neither settled nor been given back. */
  isOpen = true;

  constructor(chunk: QueueChunk, index: number) {
    super({ key: chunk.keyAt(index), json: chunk.jsonAt(index) }, chunk.header);
    this.chunk = chunk.id;
    this.index = index;
    this.attempt = chunk.attemptAt(index);
  }
}

/** A chunk as a node has received it: texts, and no object per item. */
export class QueueChunk implements Chunk {
  readonly id: number;
  readonly header: ChunkHeader;
  readonly #json: readonly string[];
  readonly #keys: readonly string[];
  readonly #attempts: Readonly<Record<number, number>>;

  constructor({ id, items, keys, shard, forced, attempts = {} }: ChunkMessage) {
    this.id = id;
    this.header = { shard, forced };
    this.#json = items.split("\n");
    this.#keys = unpackKeys(keys);
    this.#attempts = attempts;
  }

  get count(): number {
    return this.#json.length;
  }

  keyAt(index: number): string {
    return this.#keys[index]!;
  }

  jsonAt(index: number): string {
    return this.#json[index]!;
  }

  attemptAt(index: number): number {
    return this.#attempts[index] ?? 1;
  }

  sizeAt(index: number): number {
    return this.#json[index]!.length;
  }

  itemAt(index: number): QueueItem {
    return new QueueItem(this, index);
  }

  itemsText(from: number, to: number, separator = ","): string {
    return this.#json.slice(from, to).join(separator);
  }

  keysText(from: number, to: number): string {
    return packKeys(this.#keys.slice(from, to));
  }

  attempts(from: number, to: number): Record<number, number> | undefined {
    const own = Object.entries(this.#attempts).flatMap(([index, attempt]) => {
      const at = Number(index) - from;
      return at >= 0 && at < to - from ? [[at, attempt] as const] : [];
    });
    return own.length > 0 ? Object.fromEntries(own) : undefined;
  }

  keyBytesAt(): undefined {
    return undefined;
  }
}
