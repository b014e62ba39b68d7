import { statSync } from "node:fs";
import { KagurazakaError } from "../../base/errors.js";
import { inputFromArgv } from "../../config/raw-input.js";
import { prepareRun } from "../../runner/prepare/prepare-run.js";
import { exportInputs } from "../../runner/tools/preview/export-inputs.js";
import { takeFlags } from "../take-flags.js";
import { takeWord } from "../take-word.js";

/** `kagurazaka export-inputs inputs.jsonl task.ts MyTask …`: the list of items as a file. */
export async function exportInputsCommand(words: readonly string[]): Promise<number> {
  const { flags, rest: ours } = takeFlags(words, { overwrite: "bare" });
  const { word: path, rest } = takeWord(ours);
  if (path === undefined || rest.length === 0) {
    throw new KagurazakaError("usage", "export-inputs needs a file to write and a task", {
      hint: "kagurazaka export-inputs inputs.jsonl.gz task.ts MyTask",
    });
  }
  refuseToReplace(path, flags.overwrite === true);
  const { written, refused } = await exportInputs(await prepareRun(inputFromArgv(rest)), path);
  const note = refused === 0 ? "" : `; ${refused} that cannot run are left out`;
  process.stderr.write(`${written} items written to ${path}${note}\n`);
  return refused === 0 ? 0 : 3;
}

/** The list is put in place as a whole: whatever stood there is gone. A pipe or a device would be, too. */
function refuseToReplace(path: string, mayOverwrite: boolean): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || (mayOverwrite && stat.isFile())) return;
  throw new KagurazakaError("usage", `${path} already exists; nothing was written`, {
    where: "command line",
    hint: stat.isFile() ? "Name another file, or say --overwrite." : "It is no file. Name one.",
  });
}
