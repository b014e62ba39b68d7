import { KagurazakaError } from "../../base/errors.js";
import { escapeControls } from "../../base/text.js";
import { inputFromArgv } from "../../config/raw-input.js";
import { prepareRun } from "../../runner/prepare/prepare-run.js";
import { explainItem } from "../../runner/tools/preview/explain.js";
import { takeWord } from "../take-word.js";

/** `kagurazaka explain KEY task.ts MyTask …`: why an item would run or not. */
export async function explain(words: readonly string[]): Promise<number> {
  const { word: key, rest } = takeWord(words);
  if (key === undefined || rest.length === 0) {
    throw new KagurazakaError("usage", "explain needs a key and a task", {
      hint: "kagurazaka explain sub/a.txt task.ts MyTask --cfg base.yaml",
    });
  }
  const said = inputFromArgv(rest);
  const prepared = await prepareRun(said);
  const explanation = await explainItem(prepared, key);
  if (prepared.config.ui.json) {
    process.stdout.write(`${JSON.stringify(explanation)}\n`);
  } else {
    const lines = explanation.steps.map(({ step, says }) => `  ${step.padEnd(10)} ${escapeControls(says)}`);
    process.stdout.write(`${escapeControls(explanation.key)} ${explanation.verdict}\n${lines.join("\n")}\n`);
  }
  return explanation.verdict === "is not listed" ? 3 : 0;
}
