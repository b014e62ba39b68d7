import { KagurazakaError } from "../../base/errors.js";
import { groupedCount, shortBytes } from "../../base/text.js";
import { formatOptions } from "../../data/formats/options.js";
import { formatOfName, loadFormat } from "../../data/formats/registry.js";
import { convertSource } from "../../data/source/convert.js";
import { defineCommand } from "../command.js";
import { DataOut } from "../data-out.js";
import { chosenColumns, columnsOption, openWords, sourceOptions } from "../records.js";
import { printJson } from "../stdout.js";

export const command = defineCommand({
  name: "records convert",
  words: ["SOURCE…", "OUT"],
  options: {
    to: { type: "string", help: "the format of OUT (default: by its extension)" },
    compression: {
      type: "string",
      help: "of OUT: none, gzip or zstd for text (default: by its extension); parquet and arrow have their own",
    },
    outputOptions: { type: "map", help: "options of the format of OUT" },
    groupRows: { type: "integer", min: 1, help: "rows of a row group of parquet, or of a record batch of arrow" },
    ...columnsOption,
    ...sourceOptions,
  },
  help: "Writes all rows of a dataset to one file of another format. For many files or a function over rows there is @map.",
  async run({ words, values }) {
    const path = words.at(-1)!;
    const named = formatOfName(path);
    const name = values.to ?? named.format;
    if (name === undefined)
      throw new KagurazakaError("usage", `the format of ${path} is not known`, {
        where: path,
        hint: "Say it with --to, or by an extension: out.parquet.",
      });
    const format = await loadFormat(name);
    const known = format.packs ? ["none", "gzip", "zstd"] : format.codecs;
    const compression = values.compression ?? (format.packs ? named.packing : known[0]!);
    if (!known.includes(compression))
      throw new KagurazakaError("bad-value", `${name} cannot be compressed by ${compression}`, {
        where: "--compression",
        hint: `It can by: ${known.join(", ")}.`,
      });
    const source = await openWords(words.slice(0, -1), values);
    const columns = await chosenColumns(source, values.columns);
    const options = formatOptions(format.options, values.outputOptions, "--output-options");
    const written = await convertSource(source, {
      path,
      format,
      compression,
      options,
      columns,
      groupRows: values.groupRows,
    });
    if (values.json) printJson({ path, ...written }, { owed: true });
    else {
      const out = new DataOut();
      await out.line(`${groupedCount(written.rows)} rows, ${shortBytes(written.bytes)}: ${path}`);
      await out.flush();
    }
    return 0;
  },
});
