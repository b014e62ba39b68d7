import { checkFileGlob, defineInputMode, type FileTriplet, globFiles } from "../../src/kit.js";
import { createFileItems } from "../file-items.js";

/**
 * Files below the input root that match a pattern in the syntax of shells. `**` is recursive. Listed directory by
 * directory, breadth first, names sorted by code point: the same order everywhere, so soft shards may run on different
 * machines. Symlinked files count, symlinked directories are not entered, and nothing outside the root is reached.
 */
export default defineInputMode<{ input: FileTriplet }>()({
  name: "InputByGlob",
  help: "files that match a glob pattern",
  fields: {
    globPattern: { type: "string", notEmpty: true, required: true, help: "relative to the input root, e.g. **/*.png" },
    hidden: { type: "boolean", default: false, help: "wildcards also take names that begin with a dot" },
  },
  yields: "file",
  uniqueKeys: true,
  readsInputRoot: true,
  check: ({ globPattern, hidden }) => checkFileGlob(globPattern, hidden),
  async *list({ globPattern, hidden }, { root, walk }) {
    for await (const directory of globFiles({ ...walk, pattern: globPattern, hidden }))
      yield createFileItems(root, directory);
  },
});
