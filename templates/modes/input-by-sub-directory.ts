import { basename, resolve } from "node:path";
import { defineInputMode, type FileTriplet, walkDirectories } from "../../src/kit.js";
import { createFileItems } from "../file-items.js";

/**
 * Directories as inputs: all those `subDirectoryLevel` levels below the input root, or, at level 0, the root itself
 * (`rel_dir` `.`, `file_name` the root's name). Symlinked directories do not count.
 */
export default defineInputMode<{ input: FileTriplet }>()({
  name: "InputBySubDirectory",
  help: "every directory n levels below the input root",
  fields: {
    subDirectoryLevel: { type: "integer", required: true, min: 0, help: "how deep; 0 is the input root itself" },
    hidden: { type: "boolean", default: false, help: "also directories whose names begin with a dot" },
  },
  yields: "file",
  uniqueKeys: true,
  readsInputRoot: true,
  *list({ subDirectoryLevel: level, hidden }, { inputRoot, root, walk }) {
    if (level === 0) {
      // Joining the root and the name, as for all others, would not give its path.
      const path = resolve(inputRoot);
      yield [{ input: { file_name: basename(path), path, rel_dir: ".", root } }];
      return;
    }
    for (const parent of walkDirectories({ ...walk, level, hidden })) yield createFileItems(root, parent);
  },
});
