import { defineOptions } from "../../base/option-spec.js";
import { shortCount, shortRate } from "../../base/text.js";
import { parseSize } from "../../config/text/quantities.js";
import { splitTree } from "../../runner/tools/split/split.js";
import { defineCommand } from "../command.js";
import { messages } from "../message-out.js";
import { createPalette } from "../messages.js";
import { formatSplit } from "../split-report.js";
import { openStatusLine, statusKind } from "../status-line.js";
import { printJson } from "../stdout.js";

const options = defineOptions({
  into: {
    type: "string",
    required: true,
    placeholder: "BASE_DIR",
    help: "Where the shards go: BASE_DIR/<shard>/<name>. A BASE_DIR/<shard> that is there already may be a link to another disk.",
  },
  shards: {
    type: "integer",
    min: 1,
    max: 100_000,
    placeholder: "N",
    help: "The number of shards. A file's shard depends on its key alone.",
  },
  balance: {
    type: "string",
    choices: ["count", "size"],
    placeholder: "count|size",
    help: "With --shards: equal in files, by hash of key, or in bytes. Default: count.",
  },
  maxFiles: {
    type: "integer",
    min: 1,
    placeholder: "N",
    parse: parseCount,
    help: "As many shards as it takes for none to have more files (100k); one is filled after the other.",
  },
  maxSize: { type: "size", min: 1, placeholder: "SIZE", help: "The same by bytes (50GB)." },
  by: {
    type: "string",
    choices: ["link", "copy", "move"],
    default: "link",
    placeholder: "link|copy|move",
    help: "link: hard links, which take no room and need one file system; copy; move: the input loses its files. Default: link.",
  },
  name: {
    type: "string",
    placeholder: "NAME",
    help: "Name of the directory in each shard, input_name of HardShardModeV1. Default: that of INPUT_DIR.",
  },
  exts: { type: "strings", default: [], placeholder: ".EXT", help: "Only files whose names end so. Default: all." },
  only: {
    type: "strings",
    default: [],
    placeholder: "GLOB",
    help: "Only files whose key matches; may be repeated, one match is enough. Default: all.",
  },
  hidden: {
    type: "boolean",
    default: false,
    help: "Also files and directories whose names begin with a dot. Default: they are left out, and counted.",
  },
  dryRun: { type: "boolean", default: false, help: "Show the shards with files and bytes; write nothing." },
  json: { type: "boolean", default: false, help: "Print one JSON object on stdout at the end." },
});

export const command = defineCommand({
  name: "split",
  words: ["INPUT_DIR"],
  options,
  help: "Cuts an input tree into hard shards, which HardShardModeV1 reads. Files keep their paths below the input.",
  notes: [
    "A split may be killed at any time: the same command goes on. Files added to the input since are put into the shards too.",
    "Examples:\n  kagurazaka split images --into shards --shards 12 --dry-run\n  kagurazaka split /nfs/images --into /data/shards --max-size 2TB --by copy",
  ],
  async run({ words, values: { dryRun, json, ...values } }) {
    let state = "";
    const startedMs = Date.now();
    const status = openStatusLine(statusKind("auto", messages), () => state, messages);
    const onProgress = (doing: string, files: number): void => {
      state = `${doing} · ${shortCount(files)} files · ${shortRate((files * 1000) / (Date.now() - startedMs))}`;
      status.tick();
    };
    const result = await splitTree({ ...values, input: words[0]! }, { dryRun, onProgress }).finally(status.stop);
    const shown = dryRun && !json ? process.stdout : messages;
    const report = formatSplit(result, { dryRun, by: values.by }, createPalette(shown));
    if (json) printJson({ ...result, mixin: report.mixin });
    shown.write(report.text);
    return result.failed.count === 0 ? 0 : 3;
  },
});

/** `100k`: a size without bytes. */
function parseCount(text: string): number {
  const count = /b/i.test(text) ? undefined : parseSize(text);
  if (count === undefined || count < 1) throw new Error('a whole number like "5000" or "100k"');
  return count;
}
