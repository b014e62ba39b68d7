import { shortCount, shortRate } from "../../base/text.js";
import { splitTree } from "../../runner/tools/split/split.js";
import { defineCommand } from "../command.js";
import { createPalette } from "../palette.js";
import { splitOptions } from "../split/options.js";
import { formatSplit } from "../split/report.js";
import { openStatusLine, statusKind } from "../status-line.js";

export const split = defineCommand({
  name: "split",
  words: ["INPUT_DIR"],
  options: splitOptions,
  help: "Cuts an input tree into hard shards, which HardShardModeV1 reads. Files keep their paths below the input.",
  notes: [
    "A split may be killed at any time: the same command goes on. Files added to the input since are put into the shards too.",
    "Examples:\n  kagurazaka split images --into shards --shards 12 --dry-run\n  kagurazaka split /nfs/images --into /data/shards --max-size 2TB --by copy",
  ],
  async run({ words, values: { dryRun, json, ...values } }) {
    let state = "";
    const startedMs = Date.now();
    const status = openStatusLine(statusKind("auto", process.stderr), () => state, process.stderr);
    const onProgress = (doing: string, files: number): void => {
      state = `${doing} · ${shortCount(files)} files · ${shortRate((files * 1000) / (Date.now() - startedMs))}`;
      status.tick();
    };
    const result = await splitTree({ ...values, input: words[0]! }, { dryRun, onProgress }).finally(status.stop);
    const shown = dryRun && !json ? process.stdout : process.stderr;
    const report = formatSplit(result, { dryRun, by: values.by }, createPalette(shown));
    if (json) process.stdout.write(`${JSON.stringify({ ...result, mixin: report.mixin })}\n`);
    shown.write(report.text);
    return result.failed.count === 0 ? 0 : 3;
  },
});
