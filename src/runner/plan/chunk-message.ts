import { type Chunk, PendingItem } from "../../contracts/chunk.js";
import type { ChunkMessage } from "../../contracts/fleet.js";
import { unpackKeys } from "../../contracts/wire.js";
import { ItemChunk } from "./item-chunk.js";

/** A part of a chunk as it is sent to a node. One item a line, because our JSON has no line breaks. */
export function encodeChunk(id: number, chunk: Chunk, from: number, to: number): ChunkMessage {
  const items: string[] = [];
  for (let i = from; i < to; i++) items.push(chunk.itemsText(i, i + 1));
  const attempts = chunk.attempts(from, to);
  const text = { items: items.join("\n"), keys: chunk.keysText(from, to) };
  return { id, count: to - from, ...text, ...chunk.header, ...(attempts && { attempts }) };
}

/** A received chunk: the index of an item in the message is its index in the chunk. */
export function decodeChunk({ items, keys, shard, forced, attempts }: ChunkMessage): ItemChunk {
  const header = { shard, forced };
  const [json, names] = [items.split("\n"), unpackKeys(keys)];
  const pending = json.map((one, i) => new PendingItem({ key: names[i]!, json: one }, header));
  for (const [i, attempt] of Object.entries(attempts ?? {})) pending[Number(i)]!.attempt = attempt;
  return new ItemChunk(pending);
}
