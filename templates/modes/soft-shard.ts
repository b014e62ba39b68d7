import { defineSoftShard, didYouMean, KagurazakaError, type SoftPartition } from "../../src/kit.js";

interface Level {
  /** Sorted, distinct, each in [0, of). */
  readonly indices: readonly number[];
  readonly of: number;
}

/**
 * Every `shardNum`-th item: item i is in when `i mod shardNum` is one of `shardIdx`. A `subshard` divides what is
 * selected, by the item's position in it: `floor(i / shardNum) · k + r`, where k is the number of indices and r the rank
 * of `i mod shardNum` among them in ascending order, from 0. Subshards nest.
 */
export default defineSoftShard({
  name: "SoftShard",
  help: "every shard_num-th item of the list",
  fields: {
    shardIdx: { type: "integers", default: 0, help: "which parts, from 0: one or a list" },
    shardNum: { type: "integer", default: 1, min: 1, help: "into how many parts the list is divided" },
    subshard: { type: "json", nullable: true, default: null, help: "a SoftShard of what this one selects" },
  },
  selector: (fields) => {
    const steps = parseLevels(fields).map(({ indices, of }) => ({
      of,
      taken: indices.length,
      rank: new Map(indices.map((index, rank) => [index, rank])),
    }));
    return (index) => {
      let position = index;
      for (const { of, taken, rank } of steps) {
        const r = rank.get(position % of);
        if (r === undefined) return false;
        position = Math.floor(position / of) * taken + r;
      }
      return true;
    };
  },
  // A level that takes all parts is left out: it changes no position.
  scope: (fields): SoftPartition => parseLevels(fields).filter(({ indices, of }) => indices.length < of),
});

function parseLevels(fields: Readonly<Record<string, unknown>>): Level[] {
  const levels: Level[] = [];
  let level: Readonly<Record<string, unknown>> | null = fields;
  for (let path = "soft_shard"; level !== null; path += ".subshard") {
    levels.push(parseLevel(level, path));
    level = parseSubshard(level.subshard, `${path}.subshard`);
  }
  return levels;
}

function parseLevel({ shardIdx = 0, shardNum = 1 }: Readonly<Record<string, unknown>>, path: string): Level {
  if (!Number.isSafeInteger(shardNum) || (shardNum as number) < 1)
    throw bad(`${path}.shard_num`, shardNum, "a whole number from 1");
  const of = shardNum as number;
  const indices: unknown[] = Array.isArray(shardIdx) ? shardIdx : [shardIdx];
  if (indices.length === 0) throw bad(`${path}.shard_idx`, shardIdx, "at least one index");
  for (const index of indices) {
    if (!Number.isSafeInteger(index) || (index as number) < 0 || (index as number) >= of) {
      throw bad(`${path}.shard_idx`, index, `a whole number from 0 to ${of - 1} (shard_num is ${of})`);
    }
  }
  if (new Set(indices).size < indices.length) throw bad(`${path}.shard_idx`, shardIdx, "distinct indices");
  return { indices: (indices as number[]).toSorted((a, b) => a - b), of };
}

const camelCase = (name: string): string => name.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
const subshardFields = ["shard_idx", "shard_num", "subshard", "use"];

/** A subshard is data of its own, spelled as the layer of configuration spells it: `shard_idx`, `shard-idx` or `shardIdx`. */
function parseSubshard(value: unknown, path: string): Readonly<Record<string, unknown>> | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== "object" || Array.isArray(value))
    throw bad(path, value, "a mapping with shard_idx and shard_num, or null");
  const level: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    const name = camelCase(key);
    if (!subshardFields.some((known) => camelCase(known) === name))
      throw new KagurazakaError("bad-value", `${path} has no field "${key}".${didYouMean(key, subshardFields)}`);
    if (Object.hasOwn(level, name)) throw bad(path, value, `a mapping that says ${name} once`);
    level[name] = field;
  }
  if (level.use !== undefined && level.use !== "SoftShard") throw bad(`${path}.use`, level.use, "SoftShard");
  return level;
}

function bad(path: string, value: unknown, wanted: string): KagurazakaError {
  return new KagurazakaError("bad-value", `${path} is ${JSON.stringify(value)}; it must be ${wanted}`, {
    hint: "Indices count from 0: the parts of shard_num=4 are 0, 1, 2 and 3.",
  });
}
