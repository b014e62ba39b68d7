import { KagurazakaError } from "../../base/errors.js";
import { saidFromArgv } from "../../config/said.js";
import { prepareRun } from "../../runner/prepare/prepare-run.js";
import { exportInputs } from "../../runner/preview/export-inputs.js";
import { takeWord } from "../take-word.js";

/** `kagurazaka export-inputs inputs.jsonl task.ts MyTask …`: the list of items as a file. */
export async function exportInputsCommand(words: readonly string[]): Promise<number> {
  const { word: path, rest } = takeWord(words);
  if (path === undefined || rest.length === 0) {
    throw new KagurazakaError("usage", "export-inputs needs a file to write and a task", {
      hint: "kagurazaka export-inputs inputs.jsonl.gz task.ts MyTask",
    });
  }
  const { written, refused } = await exportInputs(await prepareRun(saidFromArgv(rest)), path);
  const note = refused === 0 ? "" : `; ${refused} that cannot run are left out`;
  process.stderr.write(`${written} items written to ${path}${note}\n`);
  return refused === 0 ? 0 : 3;
}
