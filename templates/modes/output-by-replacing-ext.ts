import { posix } from "node:path";
import { defineOutputMode, joinRelative, type OutputFile } from "../../src/kit.js";

/** `<rel_dir>/<stem><ext>`: `a.jpg` → `a.webp`. `a.jpg` and `a.png` beside each other would share an output: an error. */
export default defineOutputMode<{ output: OutputFile }>()({
  name: "OutputByReplacingExt",
  help: "one file: the input's name with ext in place of its own",
  fields: { ext: { type: "string", required: true, help: "with its dot: .webp" } },
  accepts: "file",
  unique: false,
  outputs: ({ ext }, { relDir, fileName, stem = posix.basename(fileName, posix.extname(fileName)) }) => [
    { field: "output", relPath: joinRelative(relDir, stem + ext), type: "file" },
  ],
});
