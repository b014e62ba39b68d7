import { defineInputMode, type Item, readJsonl } from "../../src/kit.js";
import { LIST_HELP, listFiles, listSource } from "../list-file.js";
import { badRecord, isRecord } from "../record.js";

/** Records: each line of a JSONL file is an item, as it is. The type of the task's item names its fields. */
// biome-ignore lint/suspicious/noExplicitAny: a mode of `any` may inject every field that a task asks for.
export default defineInputMode<any>()({
  name: "InputFromWhateverJsonl",
  help: "records: the lines of a JSONL file",
  fields: {
    jsonlPath: { type: "string", notEmpty: true, required: true, help: `one JSON object a line; ${LIST_HELP}` },
    keyField: {
      type: "string",
      nullable: true,
      default: null,
      help: "the field that names a record; null: a hash of the record",
    },
  },
  yields: "record",
  uniqueKeys: false,
  readsInputRoot: false,
  files: ({ jsonlPath }) => listFiles(jsonlPath),
  keyField: ({ keyField }) => keyField ?? undefined,
  async *list({ jsonlPath }, { signal, warn }) {
    const source = listSource(jsonlPath);
    for await (const records of readJsonl(source, { signal, warn })) {
      const items: Item[] = [];
      for (const record of records) {
        if (!isRecord(record.value)) {
          if (items.length > 0) yield items;
          throw badRecord(source, record, "must be a JSON object");
        }
        items.push(record.value);
      }
      yield items;
    }
  },
});
