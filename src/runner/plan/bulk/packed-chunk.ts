import { writeAsciiRecord } from "../../../base/ascii-record.js";
import { hashAsciiBytes, NAME_DIGITS, writeNameOfHash } from "../../../base/hash.js";
import { type Chunk, type ChunkHeader, type KeyBytes, PendingItem } from "../../../contracts/chunk.js";
import { ItemChunk } from "../item-chunk.js";
import type { SeenKeys } from "./seen-keys.js";

const MAX_ITEMS = 1024;
const MAX_BYTES = 256 * 1024;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
/** A name and the newline behind it. */
const STRIDE = NAME_DIGITS + 1;

/**
 * Plain records named by their content, as the bytes that are sent:
 *
 *     items   {"i":0,"path":"a"},{"i":1,"path":"b"},…        ends   17, 35, …
 *     names   1f9c…⏎7a03…⏎…                                  24 digits and a newline each
 *
 * At a million items a second there is no time for an object per item: `itemAt` makes one for a retry or a report.
 */
class PackedChunk implements Chunk {
  readonly header: ChunkHeader;
  readonly count: number;
  readonly #items: Buffer;
  readonly #ends: Uint32Array;
  readonly #names: Buffer;

  constructor(header: ChunkHeader, items: Buffer, ends: Uint32Array, names: Buffer) {
    this.header = header;
    this.count = ends.length;
    this.#items = items;
    this.#ends = ends;
    this.#names = names;
  }

  keyAt(index: number): string {
    return this.#names.toString("latin1", index * STRIDE, index * STRIDE + NAME_DIGITS);
  }

  sizeAt(index: number): number {
    return this.#ends[index]! - this.#startOf(index);
  }

  itemAt(index: number): PendingItem {
    return new PendingItem({ key: this.keyAt(index), json: this.itemsText(index, index + 1) }, this.header);
  }

  itemsText(from: number, to: number, separator: "," | "\n" = ","): string {
    const start = this.#startOf(from);
    const end = this.#ends[to - 1]!;
    if (separator === ",") return this.#items.toString("latin1", start, end);
    const lines = Buffer.from(this.#items.subarray(start, end));
    for (let i = from; i < to - 1; i++) lines[this.#ends[i]! - start] = NEWLINE;
    return lines.toString("latin1");
  }

  keysText(from: number, to: number): string {
    return this.#names.toString("latin1", from * STRIDE, to * STRIDE - 1);
  }

  attempts(): undefined {
    return undefined;
  }

  keyBytesAt(index: number): KeyBytes {
    return { bytes: this.#names, start: index * STRIDE, length: NAME_DIGITS };
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]! + 1;
  }
}

/** Packs consecutive plain records into chunks. One per plan, because its buffers are reused. */
export class Packer {
  readonly #seen: SeenKeys;
  readonly #header: ChunkHeader;
  readonly #items = Buffer.allocUnsafeSlow(MAX_BYTES);
  readonly #ends = new Uint32Array(MAX_ITEMS);
  readonly #hashes = new Uint32Array(4 * MAX_ITEMS);

  constructor(seen: SeenKeys, header: ChunkHeader) {
    this.#seen = seen;
    this.#header = header;
  }

  /** Packs as many items from `from` on as are plain and fit; undefined where the first one is not plain. */
  pack(items: readonly unknown[], from: number): Chunk | undefined {
    const count = this.#write(items, from);
    if (count === 0) return undefined;
    const names = Buffer.allocUnsafeSlow(count * STRIDE);
    for (let i = 0; i < count; i++) {
      writeNameOfHash(this.#hashes, 4 * i, names, i * STRIDE);
      names[i * STRIDE + NAME_DIGITS] = NEWLINE;
    }
    const ends = this.#ends.slice(0, count);
    const bytes = Buffer.from(this.#items.subarray(0, ends[count - 1]!));
    const chunk = new PackedChunk(this.#header, bytes, ends, names);
    const times = this.#seen.addHashes(this.#hashes, count);
    return times === null ? chunk : numbered(chunk, times);
  }

  #write(items: readonly unknown[], from: number): number {
    let count = 0;
    let at = 0;
    for (const most = Math.min(MAX_ITEMS, items.length - from); count < most; count++) {
      const record = items[from + count];
      if (typeof record !== "object" || record === null) break;
      if (count > 0) this.#items[at++] = COMMA;
      const end = writeAsciiRecord(record, this.#items, at);
      if (end < 0) break;
      const hash = hashAsciiBytes(this.#items, at, end);
      for (let cell = 0; cell < 4; cell++) this.#hashes[4 * count + cell] = hash[cell]!;
      this.#ends[count] = at = end;
    }
    return count;
  }
}

/** A repeated record is another item, named `…#2`, `…#3` and so on. */
function numbered(chunk: Chunk, times: Uint32Array): Chunk {
  const items = Array.from({ length: chunk.count }, (_, i) => {
    const { key, json, header } = chunk.itemAt(i);
    return new PendingItem({ key: times[i] === 1 ? key : `${key}#${times[i]}`, json }, header);
  });
  return new ItemChunk(items);
}
