import { defineOutputMode, joinRelative, type OutputFile } from "../../src/kit.js";

/** `<rel_dir>/<file_name><ext>`: `a.txt` → `a.txt.json`. The name is spelled as in the Python tool. */
export default defineOutputMode<{ output: OutputFile }>()({
  name: "OutputByApendingExt",
  help: "one file: the input's name with ext behind it",
  fields: { ext: { type: "string", required: true, help: "with its dot: .json" } },
  accepts: "file",
  unique: true,
  outputs: ({ ext }, { relDir, fileName }) => [
    { field: "output", relPath: joinRelative(relDir, fileName + ext), type: "file" },
  ],
});
