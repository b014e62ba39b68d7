import type { Range, SliceSize } from "../formats/format.js";
import { loadFormat } from "../formats/registry.js";
import { evenCuts, packedReason, wholeFile } from "../formats/text/line-cuts.js";
import type { Source, SourceShard } from "./source.js";

/** A contiguous part of a shard: the item of a bulk task. */
export interface Slice {
  /** Name of the shard in its source. */
  readonly shard: string;
  /** A row, or a byte in a text file. */
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  /** Where the footer tells. */
  readonly rows?: number | undefined;
}

/** Shards that are looked at, at the same time. */
const AT_ONCE = 16;

/** The slices of some shards, in their order. Looks at footers and sizes; of formats that need it, a shard is read. */
export async function planSlices(
  source: Source,
  shards: readonly SourceShard[],
  size: SliceSize,
): Promise<{ slices: Slice[]; undivided: ReadonlyMap<string, number> }> {
  const slices: Slice[] = [];
  /** Why → how many shards are one slice although they are larger. */
  const undivided = new Map<string, number>();
  for (let at = 0; at < shards.length; at += AT_ONCE) {
    const some = shards.slice(at, at + AT_ONCE);
    const cut = await Promise.all(some.map((shard) => rangesOf(source, shard, size)));
    for (const [i, { ranges, why }] of cut.entries()) {
      const isLarge = size.bytes !== undefined && ranges[0]!.bytes > 2 * size.bytes;
      if (why !== undefined && isLarge) undivided.set(why, (undivided.get(why) ?? 0) + 1);
      for (const { from, to, bytes, rows } of ranges)
        slices.push({ shard: some[i]!.name, from, to, bytes, ...(rows === undefined ? {} : { rows }) });
    }
  }
  return { slices, undivided };
}

async function rangesOf(
  source: Source,
  shard: SourceShard,
  size: SliceSize,
): Promise<{ ranges: readonly Range[]; why: string | undefined }> {
  const format = await loadFormat(shard.format);
  if (format.cutsAnywhere && size.rows === undefined && size.bytes !== undefined) {
    const why = packedReason(shard.packing);
    return { ranges: why === undefined ? evenCuts(shard.size, size.bytes) : [wholeFile(shard.size)], why };
  }
  await using opened = await source.openForFooter(shard);
  return { ranges: await opened.slices(size), why: opened.reader.undivided };
}
