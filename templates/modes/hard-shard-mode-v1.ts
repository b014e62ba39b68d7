import { resolve } from "node:path";
import { defineHardShardMode, KagurazakaError } from "../../src/kit.js";

interface Values {
  readonly baseInputPath: string;
  readonly baseOutputPath: string | null;
  readonly inputName: string;
  readonly outputName: string;
  readonly shardIdx: string | number;
}

/**
 * Shards that are directories: `<baseInputPath>/<shardIdx>/<inputName>` and the same for outputs. `shardIdx` is text
 * ("007" is the directory 007); one shard per run.
 */
export default defineHardShardMode({
  name: "HardShardModeV1",
  help: "one shard of many: <base path>/<shard_idx>/<name>",
  fields: {
    baseInputPath: { type: "string", required: true, help: "directory that holds the shards of the input" },
    baseOutputPath: {
      type: "string",
      nullable: true,
      default: null,
      help: "directory that holds the shards of the output; null: no files are written",
    },
    inputName: { type: "string", required: true, help: "name of the input directory in each shard" },
    outputName: { type: "string", required: true, help: "name of the output directory in each shard" },
    shardIdx: { type: "string", required: true, help: "name of the shard's directory, e.g. 007" },
  },
  roots: (fields) => {
    const { baseInputPath, baseOutputPath, inputName, outputName, shardIdx } = fields as unknown as Values;
    const shard = checkShard(String(shardIdx));
    return [
      {
        inputPath: resolve(baseInputPath, shard, inputName),
        outputPath: baseOutputPath === null ? null : resolve(baseOutputPath, shard, outputName),
      },
    ];
  },
});

/** `0-9` is how several shards will be written; taken for a name it would only end in "input root missing". */
function checkShard(shard: string): string {
  const hint = "Say one shard, e.g. shard_idx=7, and run the command once per shard.";
  if (/^\d+-\d+$|,/.test(shard)) {
    throw new KagurazakaError("bad-value", `shard_idx "${shard}" names several shards; one run takes one`, { hint });
  }
  if (shard === "" || shard === "." || shard === ".." || shard.includes("/")) {
    throw new KagurazakaError("bad-value", `shard_idx "${shard}" must be the name of one directory`, { hint });
  }
  return shard;
}
