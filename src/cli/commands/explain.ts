import { escapeControls } from "../../base/text.js";
import { prepareRun } from "../../runner/prepare/prepare-run.js";
import { explainItem } from "../../runner/tools/preview/explain.js";
import { defineCommand } from "../command.js";
import { dataOut, printJson } from "../stdout.js";

export const command = defineCommand({
  name: "explain",
  words: ["KEY"],
  takes: "run",
  options: {},
  help: "Says why the item of this key would run or not, step by step. Exit 3: no item has the key.",
  notes: ["Example:\n  kagurazaka explain sub/a.txt task.ts MyTask --cfg base.yaml"],
  async run({ words, run }) {
    const prepared = await prepareRun(run);
    const explanation = await explainItem(prepared, words[0]!);
    if (prepared.config.ui.json) printJson(explanation);
    else {
      const lines = explanation.steps.map(({ step, says }) => `  ${step.padEnd(10)} ${escapeControls(says)}`);
      dataOut().write(`${escapeControls(explanation.key)} ${explanation.verdict}\n${lines.join("\n")}\n`);
    }
    return explanation.verdict === "is not listed" ? 3 : 0;
  },
});
