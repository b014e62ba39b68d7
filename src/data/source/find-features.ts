import { KagurazakaError } from "../../base/errors.js";
import { type Feature, type Features, featureText, Nullable } from "../features/feature.js";
import { FeatureInference } from "../features/infer.js";
import { FeatureConflict, NoFeature, unifyFeatures } from "../features/unify.js";
import type { BadRow, FormatDefinition } from "../formats/format.js";
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

/** By their names. */
type Formats = ReadonlyMap<string, FormatDefinition>;

/**
 * @throws KagurazakaError `features` where two shards contradict each other, `bad-data` where rows are there and none can be read
 */
export async function findFeatures(source: Source): Promise<Features> {
  let known: Features | undefined;
  const formats = new Map<string, FormatDefinition>();
  for (const { format } of source.shards) if (!formats.has(format)) formats.set(format, await loadFormat(format));
  const mixed = [...formats.values()].every((one) => one.valuesNeedFeatures) ? "string" : "fail";
  const inference = new FeatureInference({ mixed });
  const looked: SourceShard[] = [];
  const named = new Set<string>();
  let bad: KagurazakaError | undefined;
  for await (const { shard, features } of schemasOf(source, formats)) {
    if (features) {
      known = known ? await unifiedWith(known, features, source, formats, shard) : features;
      continue;
    }
    if (looked.length > FURTHER_SHARDS) continue;
    await using opened = await source.openWith(shard, undefined);
    const seen = await look(opened, inference, looked.length === 0 ? FIRST_ROWS : FURTHER_ROWS);
    for (const name of opened.reader.columnNames ?? []) named.add(name);
    bad ??= seen.bad;
    if (seen.rows > 0) looked.push(shard);
  }
  const inferred = withNames(inference.features, named);
  if (inferred === undefined) {
    if (known === undefined && bad) throw bad;
    return known ?? {};
  }
  if (known === undefined) return inferred;
  try {
    return unifyFeatures(known, inferred);
  } catch (error) {
    if (!(error instanceof FeatureConflict)) throw error;
    throw await whichOfLooked(known, looked, source, formats, error);
  }
}

/**
 * What the shards say of themselves, in their order; undefined where only rows show it. The error of the first bad one is thrown,
 * whichever answers first.
 */
async function* schemasOf(
  source: Source,
  formats: Formats,
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

/** Columns of which only the name is known, as of a CSV file without rows, are null. */
function withNames(features: Features | undefined, names: ReadonlySet<string>): Features | undefined {
  if (features === undefined && names.size === 0) return undefined;
  const all: Record<string, Feature> = { ...features };
  for (const name of names) if (!Object.hasOwn(all, name)) all[name] = Nullable("null");
  return all;
}

async function unifiedWith(
  known: Features,
  now: Features,
  source: Source,
  formats: Formats,
  shard: SourceShard,
): Promise<Features> {
  try {
    return unifyFeatures(known, now);
  } catch (error) {
    if (!(error instanceof FeatureConflict)) throw error;
    const culprit = await whichWithSchema(source, formats, now);
    throw conflict(culprit ?? { error, shard: source.shards[0]! }, shard);
  }
}

interface Culprit {
  readonly error: FeatureConflict;
  readonly shard: SourceShard;
}

/** The first shard whose own schema contradicts some features. */
async function whichWithSchema(source: Source, formats: Formats, other: Features): Promise<Culprit | undefined> {
  for await (const { shard, features } of schemasOf(source, formats)) {
    const error = features && conflictOf(features, other);
    if (error) return { error, shard };
  }
  return undefined;
}

/** The shards without a schema are looked at once more, each for itself. */
async function whichOfLooked(
  known: Features,
  looked: readonly SourceShard[],
  source: Source,
  formats: Formats,
  error: FeatureConflict,
): Promise<KagurazakaError> {
  for (const [i, shard] of looked.entries()) {
    await using opened = await source.openWith(shard, undefined);
    const inference = new FeatureInference({ mixed: "json" });
    await look(opened, inference, i === 0 ? FIRST_ROWS : FURTHER_ROWS);
    const { features } = inference;
    if (features === undefined || !conflictOf(known, features)) continue;
    const culprit = await whichWithSchema(source, formats, features);
    if (culprit) return conflict(culprit, shard);
  }
  return conflict({ error, shard: source.shards.find((shard) => !looked.includes(shard))! }, looked[0]!);
}

function conflictOf(left: Features, right: Features): FeatureConflict | undefined {
  try {
    unifyFeatures(left, right);
    return undefined;
  } catch (error) {
    if (error instanceof FeatureConflict) return error;
    throw error;
  }
}

function conflict({ error, shard }: Culprit, now: SourceShard): KagurazakaError {
  const { path, left, right } = error;
  const message = `column ${path} is ${featureText(left)} in ${shard.name} and ${featureText(right)} in ${now.name}`;
  return new KagurazakaError("features", message, {
    where: now.name,
    hint: "Convert one of the files, or read them as two datasets.",
    cause: error,
  });
}

/** @returns how many rows were there, and the error of the first that cannot be read */
async function look(
  opened: Shard,
  inference: FeatureInference,
  most: number,
): Promise<{ rows: number; bad: KagurazakaError | undefined }> {
  let seen = 0;
  let bad: BadRow | undefined;
  const onBadRow = (one: BadRow): void => {
    bad ??= one;
  };
  for await (const block of opened.rows({ onBadRow })) {
    for (let i = 0; i < block.rows.length && seen < most; i++, seen++) {
      try {
        inference.add(block.rows[i]!, () => `${opened.reader.name}:${positionOf(block, i)}`);
      } catch (error) {
        if (!(error instanceof NoFeature)) throw error;
        throw new KagurazakaError("features", error.message, {
          hint: 'Say what the column is: --features FILE of @map (a JSON object of columns and types), or features in code; "json" holds any value.',
          cause: error,
        });
      }
    }
    if (seen >= most) break;
  }
  return { rows: seen, bad: bad && (await errorOf(opened, bad)) };
}

async function errorOf({ reader }: Shard, { position, what, hint }: BadRow): Promise<KagurazakaError> {
  const where = await reader.where(0, position);
  return new KagurazakaError("bad-data", `${where}: ${what}`, { where, hint });
}
