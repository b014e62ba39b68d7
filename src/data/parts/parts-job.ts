import { existsSync } from "node:fs";
import { join } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import type { Features } from "../features/feature.js";
import type { FormatDefinition, Packing, SliceSize } from "../formats/format.js";
import { packingExtension } from "../formats/registry.js";
import { planSlices, type Slice } from "../source/slices.js";
import type { Source } from "../source/source.js";
import { writeCard } from "./card.js";
import { CARD_FILE, partName } from "./layout.js";
import { isManifestCurrent, writeManifest } from "./manifest.js";
import { checkVersions, fingerprintOf, type PartsPlan, readPlan, versionsOf, writePlan } from "./plan-file.js";

/** The item of a task over slices: a slice, and the name of the part that its rows become. */
export interface PartItem extends Slice {
  /** Name of the source. */
  readonly source: string;
  readonly split: string;
  /** Of the file when the run was planned, in bytes. */
  readonly size: number;
  readonly part: string;
}

/** How parts are written. */
export interface PartFormat {
  readonly format: FormatDefinition;
  readonly compression: string;
}

interface PartsRequest extends PartFormat {
  readonly source: Source;
  readonly size: SliceSize;
  /** The output root. */
  readonly folder: string;
  /** Whether items need the features of the source. */
  readonly needsInput: boolean;
  /** The features of the parts; asked for once, when no earlier run has found them. */
  readonly outputFeatures: () => Promise<Features | undefined>;
}

/** A run over slices, on the coordinator's side. */
export interface PartsJob {
  readonly items: readonly PartItem[];
  /** What a person should know of the plan. */
  readonly notes: readonly string[];
  /** Before the first item: workers read the plan. */
  begin(): void;
  /** After the last one: manifest and dataset card. */
  finalize(): void;
}

/**
 * Cuts a source into slices and names their parts. Writes nothing.
 * @throws KagurazakaError `other-slices` where the folder has parts of other slices
 */
export async function planParts(request: PartsRequest): Promise<PartsJob> {
  const { source, size, folder, format, compression } = request;
  const before = readPlan(folder);
  const extension = `${format.extensions[0]!}${format.packs ? packingExtension(compression as Packing) : ""}`;
  const items: PartItem[] = [];
  const splits: Record<string, number> = {};
  const notes = [...source.notes];
  for (const [split, shards] of source.splits) {
    const { slices, undivided } = await planSlices(source, shards, size);
    splits[split] = slices.length;
    // Fields in the order of the alphabet: an item's canonical JSON is then what JSON.stringify makes of it, which is faster.
    for (const [i, { bytes, from, rows, shard, to }] of slices.entries())
      items.push({
        bytes,
        from,
        part: `${partName(split, i, slices.length)}${extension}`,
        ...(rows === undefined ? {} : { rows }),
        shard,
        size: source.shardNamed(shard).size,
        source: source.name,
        split,
        to,
      });
    for (const [why, count] of undivided)
      notes.push(`${count} file${count === 1 ? " is" : "s are"} one slice each: ${why}`);
  }
  const cut = size.rows === undefined ? binarySize(size.bytes ?? 0) : `${size.rows} rows`;
  const fingerprint = fingerprintOf(items, extension);
  if (before && before.fingerprint !== fingerprint) throw otherSlices(folder, before, { slices: items.length, cut });
  if (before) checkVersions(folder, before, source.shards);
  const plan: PartsPlan = before ?? {
    fingerprint,
    slices: items.length,
    cut,
    format: format.name,
    compression,
    input: request.needsInput ? await source.features() : undefined,
    output: await request.outputFeatures(),
    splits,
    versions: versionsOf(source.shards),
  };
  return {
    items,
    notes,
    begin: () => {
      if (!before) writePlan(folder, plan);
    },
    finalize: () => {
      if (before && isManifestCurrent(folder, plan) && existsSync(join(folder, CARD_FILE))) return;
      const manifest = writeManifest(folder, plan);
      writeCard(folder, extension, manifest, plan.output);
    },
  };
}

/** `64 MiB`, as a user wrote it. */
function binarySize(bytes: number): string {
  const unit = [30, 20, 10].find((bits) => bytes >= 2 ** bits && bytes % 2 ** bits === 0);
  return unit === undefined
    ? `${bytes} bytes`
    : `${bytes / 2 ** unit} ${unit === 30 ? "GiB" : unit === 20 ? "MiB" : "KiB"}`;
}

function otherSlices(folder: string, before: PartsPlan, now: Pick<PartsPlan, "slices" | "cut">): KagurazakaError {
  const why =
    before.cut === now.cut
      ? "the input or the output format is another than before"
      : `they were cut by ${before.cut}, now by ${now.cut}`;
  return new KagurazakaError(
    "other-slices",
    `${folder} holds parts of ${before.slices} other slices (now there would be ${now.slices}): ${why}`,
    {
      where: folder,
      hint: "Give the flags and the input of the run before, or choose another --out, or remove that folder and begin again.",
    },
  );
}
