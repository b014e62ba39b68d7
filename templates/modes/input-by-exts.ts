import { defineInputMode, type FileTriplet, walkFiles } from "../../src/kit.js";
import { createFileItems } from "../file-items.js";

/** Files below the input root whose names end in one of `exts`; the empty text is the end of every name. */
export default defineInputMode<{ input: FileTriplet }>()({
  name: "InputByExts",
  help: "files whose names end in one of exts, at any depth",
  fields: {
    exts: { type: "strings", required: true, help: 'endings, with their dot: .txt; "" for all files' },
    ignoreCase: { type: "boolean", default: false, help: "take .TXT for .txt" },
    hidden: { type: "boolean", default: false, help: "also files and directories whose names begin with a dot" },
  },
  yields: "file",
  uniqueKeys: true,
  readsInputRoot: true,
  *list({ exts, ignoreCase, hidden }, { root, walk }) {
    const match = createMatch(exts, ignoreCase);
    for (const directory of walkFiles({ ...walk, hidden, match })) yield createFileItems(root, directory);
  },
});

function createMatch(exts: readonly string[], ignoreCase: boolean): (name: string) => boolean {
  if (ignoreCase) {
    const lower = exts.map((ext) => ext.toLowerCase());
    return (name) => lower.some((ext) => name.toLowerCase().endsWith(ext));
  }
  const [only] = exts;
  return exts.length === 1 ? (name) => name.endsWith(only!) : (name) => exts.some((ext) => name.endsWith(ext));
}
