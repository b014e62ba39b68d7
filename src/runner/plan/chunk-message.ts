import { type Chunk, PendingItem } from "../../contracts/chunk.js";
import type { ChunkMessage } from "../../contracts/fleet.js";
import { unpackKeys } from "../../contracts/wire.js";
import { ItemChunk } from "./item-chunk.js";

/** A part of a chunk as it is sent to a node. One item a line, because our JSON has no line breaks. */
export function encodeChunk(id: number, chunk: Chunk, from: number, to: number): ChunkMessage {
  const items: string[] = [];
  for (let i = from; i < to; i++) items.push(chunk.itemsText(i, i + 1));
  return { id, count: to - from, items: items.join("\n"), keys: chunk.keysText(from, to), ...chunk.header };
}

/** A received chunk, and for each of its items the index in the message. */
interface DecodedChunk {
  readonly id: number;
  readonly chunk: ItemChunk;
  readonly indices: readonly number[];
}

export function decodeChunk({ id, count, items, keys, open, shard, forced }: ChunkMessage): DecodedChunk {
  const header = { shard, forced };
  const [json, names] = [items.split("\n"), unpackKeys(keys)];
  const indices = open ?? Array.from({ length: count }, (_, i) => i);
  return {
    id,
    indices,
    chunk: new ItemChunk(indices.map((i) => new PendingItem({ key: names[i]!, json: json[i]! }, header))),
  };
}
