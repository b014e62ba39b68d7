import { posix, resolve } from "node:path";
import { defineInputMode, type FileTriplet, type Item, type JsonlRecord, readJsonl } from "../../src/kit.js";
import { LIST_HELP, listFiles, listSource } from "../list-file.js";
import { badRecord, isRecord } from "../record.js";

/**
 * Files named one by one: lines `{"input": {"path", "rel_dir", "file_name"}}`, as `export-inputs` writes them. `path` is
 * where the file is read; `rel_dir` and `file_name` name it and its output. Other fields of a line stay in the item.
 */
export default defineInputMode<{ input: FileTriplet }>()({
  name: "InputFromFileTripletJsonl",
  help: "files named by the lines of a JSONL file",
  fields: {
    jsonlPath: {
      type: "string",
      notEmpty: true,
      required: true,
      help: `lines {"input": {"path", "rel_dir", "file_name"}}; ${LIST_HELP}`,
    },
  },
  yields: "file",
  uniqueKeys: false,
  readsInputRoot: false,
  files: ({ jsonlPath }) => listFiles(jsonlPath),
  async *list({ jsonlPath }, { root, signal, warn }) {
    const source = listSource(jsonlPath);
    for await (const records of readJsonl(source, { signal, warn })) {
      const items: Item[] = [];
      for (const record of records) {
        const item = parseLine(record, root);
        if (item === undefined) {
          if (items.length > 0) yield items;
          throw badRecord(source, record, 'must be {"input": {"path": …, "rel_dir": …, "file_name": …}}, three texts');
        }
        items.push(item);
      }
      yield items;
    }
  },
});

function parseLine({ value }: JsonlRecord, root: number): Item | undefined {
  if (!isRecord(value) || !isRecord(value.input)) return undefined;
  const { path, rel_dir, file_name } = value.input;
  if (!isText(path) || !isText(rel_dir) || !isText(file_name)) return undefined;
  // Two spellings of one directory must give one key.
  const relDir = posix.normalize(rel_dir).replace(/(?!^)\/$/, "");
  return { ...value, input: { file_name, path: resolve(path), rel_dir: relDir, root } };
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
