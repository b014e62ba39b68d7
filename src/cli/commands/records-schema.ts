import { escapeControls, shortBytes } from "../../base/text.js";
import { featureText } from "../../data/features/feature.js";
import { toHuggingFace } from "../../data/features/hugging-face.js";
import { defineCommand } from "../command.js";
import { DataOut } from "../data-out.js";
import { openWords, sourceOptions } from "../records.js";
import { printJson } from "../stdout.js";

export const command = defineCommand({
  name: "records schema",
  words: ["SOURCE…"],
  options: sourceOptions,
  help: "The columns of a dataset and their types. Formats without a schema (jsonl, csv) show it by their first rows; ? is a column that may be null.",
  async run({ words, values }) {
    const source = await openWords(words, values);
    const features = await source.features();
    const splits = Object.fromEntries(
      [...source.splits].map(([name, shards]) => [
        name,
        { files: shards.length, bytes: shards.reduce((sum, { size }) => sum + size, 0) },
      ]),
    );
    if (values.json) {
      printJson({ features: toHuggingFace(features), splits }, { owed: true });
      return 0;
    }
    const out = new DataOut();
    const width = Math.max(0, ...Object.keys(features).map((name) => name.length));
    for (const [name, feature] of Object.entries(features))
      await out.line(`${escapeControls(name).padEnd(width)}  ${featureText(feature)}`);
    await out.line("");
    for (const [name, { files, bytes }] of Object.entries(splits))
      await out.line(`${name}: ${files} file${files === 1 ? "" : "s"}, ${shortBytes(bytes)}`);
    await out.flush();
    return 0;
  },
});
