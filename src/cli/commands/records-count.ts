import { groupedCount } from "../../base/text.js";
import { countRows } from "../../data/source/look.js";
import { defineCommand } from "../command.js";
import { DataOut } from "../data-out.js";
import { openWords, sourceOptions } from "../records.js";
import { printJson } from "../stdout.js";

export const command = defineCommand({
  name: "records count",
  words: ["SOURCE…"],
  options: sourceOptions,
  help: "The rows of a dataset, by file. Formats with a footer (parquet, arrow) tell it at once; others are read.",
  async run({ words, values }) {
    const source = await openWords(words, values);
    const files: { name: string; split: string; rows: number }[] = [];
    for (const shard of source.shards)
      files.push({ name: shard.name, split: shard.split, rows: await countRows(source, shard) });
    const rows = files.reduce((sum, file) => sum + file.rows, 0);
    if (values.json) {
      printJson({ rows, files }, { owed: true });
      return 0;
    }
    const out = new DataOut();
    const width = groupedCount(rows).length;
    if (files.length > 1)
      for (const file of files) await out.line(`${groupedCount(file.rows).padStart(width)}  ${file.name}`);
    await out.line(`${groupedCount(rows)}  ${files.length === 1 ? files[0]!.name : "rows"}`);
    await out.flush();
    return 0;
  },
});
