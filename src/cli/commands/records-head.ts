import { headRows } from "../../data/source/look.js";
import { defineCommand } from "../command.js";
import { printRows } from "../print-rows.js";
import { chosenColumns, columnsOption, openWords, sourceOptions } from "../records.js";

export const command = defineCommand({
  name: "records head",
  words: ["SOURCE…"],
  options: { n: { type: "integer", default: 10, min: 0, help: "how many rows" }, ...columnsOption, ...sourceOptions },
  help: "The first rows of a dataset: files, folders, globs, URLs, or the name of one on a hub.",
  async run({ words, values }) {
    const source = await openWords(words, values);
    const columns = await chosenColumns(source, values.columns);
    await printRows(await headRows(source, values.n, columns), columns, values.json);
    return 0;
  },
});
