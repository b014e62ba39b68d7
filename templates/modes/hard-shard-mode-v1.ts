import { resolve } from "node:path";
import { defineHardShardMode, KagurazakaError } from "../../src/kit.js";

/**
 * Shards that are directories: `<baseInputPath>/<shardIdx>/<inputName>` and the same for outputs. `shardIdx` is text ("007" is
 * the directory 007); several ("0-9", "00-11", [0, 3]) are served in turn, each with a ledger and a lease of its own.
 */
export default defineHardShardMode({
  name: "HardShardModeV1",
  help: "one shard or several: <base path>/<shard_idx>/<name>",
  fields: {
    baseInputPath: {
      type: "string",
      notEmpty: true,
      required: true,
      help: "directory that holds the shards of the input",
    },
    baseOutputPath: {
      type: "string",
      notEmpty: true,
      nullable: true,
      default: null,
      help: "directory that holds the shards of the output; null: no files are written",
    },
    inputName: { type: "string", required: true, help: "name of the input directory in each shard" },
    outputName: { type: "string", required: true, help: "name of the output directory in each shard" },
    shardIdx: {
      type: "strings",
      required: true,
      placeholder: "007|0-9|[0, 3]",
      help: "names of the shards' directories; 0-9 and 00-11 are ranges",
    },
  },
  roots: ({ baseInputPath, baseOutputPath, inputName, outputName, shardIdx }) =>
    shardNames(shardIdx).map((shard) => ({
      inputPath: resolve(baseInputPath, shard, inputName),
      outputPath: baseOutputPath === null ? null : resolve(baseOutputPath, shard, outputName),
    })),
});

const MAX_RANGE = 1000;
const MAX_SHARDS = 10_000;

function shardNames(written: readonly string[]): readonly string[] {
  const names = new Set<string>();
  for (const piece of written.flatMap((one) => one.split(",")))
    for (const name of expand(piece.trim())) {
      checkName(name);
      if (names.has(name)) throw wrong(`shard_idx names ${JSON.stringify(name)} twice`);
      if (names.add(name).size > MAX_SHARDS) throw wrong(`shard_idx names more than ${MAX_SHARDS} shards`);
    }
  if (names.size === 0) throw wrong("shard_idx names no shard");
  return [...names];
}

/** `08-11` is 08, 09, 10, 11: as many digits as it was written with. */
function* expand(text: string): Generator<string> {
  const range = /^(\d+)-(\d+)$/.exec(text);
  if (!range) return yield text;
  const [from, to] = [Number(range[1]), Number(range[2])];
  if (to < from) throw wrong(`the range "${text}" in shard_idx runs backwards`);
  if (to - from >= MAX_RANGE) throw wrong(`the range "${text}" in shard_idx has more than ${MAX_RANGE} shards`);
  const digits = range[1]!.length;
  for (let index = from; index <= to; index++) yield String(index).padStart(digits, "0");
}

function checkName(name: string): void {
  if (name === "" || name === "." || name === ".." || name.includes("/"))
    throw wrong(`shard_idx ${JSON.stringify(name)} must be the name of one directory`);
}

const wrong = (message: string): KagurazakaError =>
  new KagurazakaError("bad-value", message, {
    hint: 'Say one shard (7), a range ("0-9", "00-11") or a list ([0, 3]).',
  });
