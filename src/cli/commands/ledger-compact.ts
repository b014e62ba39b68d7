import { groupedCount } from "../../base/text.js";
import { usageError } from "../../config/flags.js";
import { displayPath } from "../../loader/paths.js";
import { describeDamage } from "../../runner/ledger/index.js";
import { compactShard } from "../../runner/tools/compact/compact-shard.js";
import { defineCommand } from "../command.js";
import { messages } from "../message-out.js";
import { findStateTarget } from "../state-target.js";
import { dataOut, printJson } from "../stdout.js";

export const command = defineCommand({
  name: "ledger compact",
  words: [],
  takes: "run or state",
  options: {},
  help: "Folds the ledger of a task into one file, which holds the latest line of each key.",
  notes: [
    "Examples:\n  kagurazaka ledger compact task.ts MyTask --in in --out out\n  kagurazaka ledger compact out/.kagurazaka/MyTask",
  ],
  async run(input) {
    const target = await findStateTarget(input);
    if (target.dryRun) throw usageError("ledger compact has no dry run", "Leave --dry-run out.");
    const results = [];
    for (const { stateDir, ledgerDir, leaseDir, outputRoot } of target.states) {
      const onWait = (message: string): void => void messages.write(`warning ${message}\n`);
      const done = await compactShard({ ledgerDir, outputRoot, leaseDir, task: target.task, onWait });
      results.push({ stateDir, ...done });
      if (target.json) continue;
      const { before, after, torn, damage } = done;
      const row = (name: keyof typeof before): string =>
        `  ${name.padEnd(9)} ${groupedCount(before[name])} → ${groupedCount(after[name])}\n`;
      const lost = (name: string, count: number, where: string): string =>
        count > 0
          ? `  ${name.padEnd(9)} ${groupedCount(count)} ${count === 1 ? "line" : "lines"} left out${where}\n`
          : "";
      const losses = `${lost("cut off", torn, "")}${lost("damaged", damage.count, `: ${describeDamage(damage, displayPath)}`)}`;
      const rows = `is compacted\n${row("files")}${row("lines")}${row("bytes")}${losses}`;
      dataOut().write(`${displayPath(ledgerDir)} ${done.changed ? rows : "has nothing to fold\n"}`);
    }
    if (target.json) printJson({ task: target.task, ledgers: results });
    return 0;
  },
});
