import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { groupedCount } from "../../base/text.js";
import { displayPath } from "../../loader/paths.js";
import { compactShard } from "../../runner/tools/compact/compact-shard.js";
import { findStateTarget } from "../state-target.js";
import { takeWord } from "../take-word.js";

/** What can be done to a ledger, by word. */
const works: Readonly<Record<string, (words: readonly string[]) => Promise<number>>> = { compact };

/** `kagurazaka ledger compact task.ts MyTask …` */
export async function ledger(words: readonly string[]): Promise<number> {
  const { word, rest } = takeWord(words);
  const known = Object.keys(works);
  const hint = "kagurazaka ledger compact task.ts MyTask, or kagurazaka ledger compact out/.kagurazaka/MyTask";
  if (word === undefined) throw new KagurazakaError("usage", `ledger needs a word: ${known.join(", ")}`, { hint });
  if (!Object.hasOwn(works, word))
    throw new KagurazakaError("usage", `there is no "ledger ${word}".${didYouMean(word, known)}`, { hint });
  return works[word]!(rest);
}

/** Folds the ledger of a task, or in a state directory, into one file: the latest line of each key. */
async function compact(words: readonly string[]): Promise<number> {
  const target = await findStateTarget("ledger compact", words, {});
  const results = [];
  for (const { stateDir, ledgerDir, leaseDir, outputRoot } of target.states) {
    const onWait = (message: string): void => void process.stderr.write(`warning ${message}\n`);
    const done = await compactShard({ ledgerDir, outputRoot, leaseDir, task: target.task, onWait });
    results.push({ stateDir, ...done });
    if (target.json) continue;
    const { before, after, damaged } = done;
    const row = (name: keyof typeof before): string =>
      `  ${name.padEnd(9)} ${groupedCount(before[name])} → ${groupedCount(after[name])}\n`;
    process.stdout.write(
      done.changed
        ? `${displayPath(ledgerDir)} is compacted\n${row("files")}${row("lines")}${row("bytes")}${damaged > 0 ? `  damaged   ${groupedCount(damaged)} lines left out\n` : ""}`
        : `${displayPath(ledgerDir)} has nothing to fold\n`,
    );
  }
  if (target.json) process.stdout.write(`${JSON.stringify({ task: target.task, ledgers: results })}\n`);
  return 0;
}
