import { statSync } from "node:fs";
import { escapeControls } from "../../base/text.js";
import { usageError } from "../../config/flags.js";
import { prepareRun } from "../../runner/prepare/prepare-run.js";
import { exportInputs as writeInputs } from "../../runner/tools/preview/export-inputs.js";
import { defineCommand } from "../command.js";
import { messages } from "../message-out.js";

export const command = defineCommand({
  name: "export-inputs",
  words: ["FILE"],
  takes: "run",
  options: {
    overwrite: { type: "boolean", default: false, help: "Replace FILE if it exists." },
  },
  help: "Writes the list of items as JSONL; a FILE that ends in .gz or .zst is compressed. Exit 3: some items cannot run and are left out.",
  notes: ["Example:\n  kagurazaka export-inputs inputs.jsonl.gz task.ts MyTask"],
  async run({ words, values, run }) {
    const path = words[0]!;
    refuseToReplace(path, values.overwrite);
    const prepared = await prepareRun(run);
    if (prepared.config.run.dryRun) throw usageError("export-inputs has no dry run", "Leave --dry-run out.");
    const { written, refused } = await writeInputs(prepared, path, (message) => {
      messages.write(`warning ${escapeControls(message)}\n`);
    });
    const note = refused === 0 ? "" : `; ${refused} items that cannot run are left out`;
    messages.write(`${written} items written to ${path}${note}\n`);
    return refused === 0 ? 0 : 3;
  },
});

/** The list is put in place as a whole: a file that stood there is gone. A pipe or a device would be, too. */
function refuseToReplace(path: string, mayOverwrite: boolean): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || (mayOverwrite && stat.isFile())) return;
  const hint = stat.isFile() ? "Name another file, or give --overwrite." : "It is not a regular file. Name one.";
  throw usageError(`${path} already exists; nothing was written`, hint);
}
