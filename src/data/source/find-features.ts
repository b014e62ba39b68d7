import { KagurazakaError } from "../../base/errors.js";
import { type Features, featureText } from "../features/feature.js";
import { FeatureInference } from "../features/infer.js";
import { FeatureConflict, NoFeature, unifyFeatures } from "../features/unify.js";
import type { FormatDefinition } from "../formats/format.js";
import { loadFormat } from "../formats/registry.js";
import { positionOf } from "../formats/row-block.js";
import type { Shard } from "../shard/shard.js";
import type { Source, SourceShard } from "./source.js";

/** Rows that are looked at in the first shard without a schema, and in each of some others. */
const FIRST_ROWS = 10_000;
const FURTHER_ROWS = 100;
const FURTHER_SHARDS = 10;
/** Footers that are read at the same time. */
const AT_ONCE = 16;

interface Found {
  readonly features: Features;
  readonly shard: SourceShard;
}

/** @throws KagurazakaError `features` where two shards contradict each other, `source` where there is no row */
export async function findFeatures(source: Source): Promise<Features> {
  let found: Found | undefined;
  const formats = new Map<string, FormatDefinition>();
  for (const { format } of source.shards) if (!formats.has(format)) formats.set(format, await loadFormat(format));
  const isOfTexts = [...formats.values()].every((one) => one.valuesNeedFeatures);
  const inference = new FeatureInference({ mixed: isOfTexts ? "string" : "fail" });
  let looked = 0;
  for await (const { shard, features } of schemasOf(source, formats)) {
    if (features) {
      found = found ? unifyShards(found, { features, shard }) : { features, shard };
      continue;
    }
    if (looked > FURTHER_SHARDS) continue;
    await using opened = await source.openWith(shard, undefined);
    const seen = await look(opened, inference, looked === 0 ? FIRST_ROWS : FURTHER_ROWS);
    if (seen > 0) looked++;
  }
  const inferred = inference.features;
  if (inferred === undefined) return found?.features ?? {};
  return found ? unifyFeatures(found.features, inferred) : inferred;
}

/**
 * What the shards say of themselves, in their order; undefined where only rows show it. The error of the first bad one is thrown,
 * whichever answers first.
 */
async function* schemasOf(
  source: Source,
  formats: ReadonlyMap<string, FormatDefinition>,
): AsyncGenerator<{ readonly shard: SourceShard; readonly features: Features | undefined }> {
  const schemaOf = async (shard: SourceShard): Promise<Features | undefined> => {
    if (!formats.get(shard.format)!.hasSchema) return undefined;
    await using opened = await source.openForFooter(shard);
    return opened.reader.features;
  };
  for (let at = 0; at < source.shards.length; at += AT_ONCE) {
    const some = source.shards.slice(at, at + AT_ONCE);
    const schemas = await Promise.allSettled(some.map(schemaOf));
    for (const [i, schema] of schemas.entries()) {
      if (schema.status === "rejected") throw schema.reason;
      yield { shard: some[i]!, features: schema.value };
    }
  }
}

function unifyShards(before: Found, now: Found): Found {
  try {
    return { features: unifyFeatures(before.features, now.features), shard: before.shard };
  } catch (error) {
    if (!(error instanceof FeatureConflict)) throw error;
    const message = `column ${error.path} is ${featureText(error.left)} in ${before.shard.name} and ${featureText(error.right)} in ${now.shard.name}`;
    throw new KagurazakaError("features", message, {
      where: now.shard.name,
      hint: "Convert one of the files, or read them as two datasets.",
      cause: error,
    });
  }
}

/** @returns how many rows were there */
async function look(opened: Shard, inference: FeatureInference, most: number): Promise<number> {
  let seen = 0;
  for await (const block of opened.rows({ onBadRow: () => {} })) {
    for (let i = 0; i < block.rows.length && seen < most; i++, seen++) {
      try {
        inference.add(block.rows[i]!, () => `${opened.reader.name}:${positionOf(block, i)}`);
      } catch (error) {
        if (!(error instanceof NoFeature)) throw error;
        throw new KagurazakaError("features", error.message, {
          hint: 'Say what the column is with --features FILE (a JSON object of columns and types; "json" holds any value).',
          cause: error,
        });
      }
    }
    if (seen >= most) break;
  }
  return seen;
}
