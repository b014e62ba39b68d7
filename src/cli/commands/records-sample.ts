import { sampleRows } from "../../data/source/look.js";
import { defineCommand } from "../command.js";
import { printRows } from "../print-rows.js";
import { chosenColumns, columnsOption, openWords, sourceOptions } from "../records.js";

export const command = defineCommand({
  name: "records sample",
  words: ["SOURCE…"],
  options: {
    n: { type: "integer", default: 10, min: 0, help: "how many rows" },
    seed: { type: "integer", default: 0, min: 0, help: "another seed gives other rows" },
    ...columnsOption,
    ...sourceOptions,
  },
  help: "Some rows of a dataset, each as likely as any other. Reads all of it.",
  async run({ words, values }) {
    const source = await openWords(words, values);
    const columns = await chosenColumns(source, values.columns);
    await printRows(await sampleRows(source, values.n, values.seed, columns), columns, values.json);
    return 0;
  },
});
