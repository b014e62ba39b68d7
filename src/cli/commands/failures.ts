import { stringifyJson } from "../../base/exact-json.js";
import { escapeControls, groupedCount } from "../../base/text.js";
import { displayPath } from "../../loader/paths.js";
import { type FailedItem, failedItems, type LedgerIndex, loadLedger } from "../../runner/ledger/index.js";
import { type FailureClass, groupFailures, pickClasses } from "../../runner/tools/audit/failure-classes.js";
import { defineCommand } from "../command.js";
import { DataOut, KeyLines } from "../data-out.js";
import { messages } from "../message-out.js";
import { createPalette, type Palette } from "../messages.js";
import { findStateTarget } from "../state-target.js";

export const command = defineCommand({
  name: "failures",
  words: [],
  takes: "run or state",
  options: {
    class: { type: "string", placeholder: "NAME", help: "Only the failures of this class, each with its stack." },
    keys: { type: "boolean", default: false, help: "Print bare keys, one a line, for --keys FILE of a run." },
  },
  help: "Lists by class which items have failed, by the ledger, and have not been done since.",
  notes: [
    "Examples:\n  kagurazaka failures task.ts MyTask --in in --out out\n  kagurazaka failures out/.kagurazaka/MyTask --keys > again.txt",
  ],
  async run(input) {
    const target = await findStateTarget(input);
    const ledgers = await Promise.all(target.states.map(({ ledgerDir }) => loadLedger(ledgerDir)));
    const all = groupFailures(everyFailure(ledgers));
    const { class: asked, keys } = input.values;
    const classes = asked === undefined ? all : pickClasses(all, asked);
    const names = new Set(classes.map(({ class: name }) => name));
    const chosen = (item: FailedItem): boolean => asked === undefined || names.has(item.class);
    const total = classes.reduce((sum, { count }) => sum + count, 0);
    const next = total > 0 ? target.runCommand("--retry-failed") : undefined;
    const out = new DataOut();
    if (keys) {
      const lines = new KeyLines();
      for (const item of everyFailure(ledgers)) {
        const line = chosen(item) ? lines.lineOf(item.key) : undefined;
        if (line !== undefined) await out.line(line);
      }
      if (lines.note !== undefined) messages.write(`note ${lines.note}\n`);
    } else if (target.json) {
      const states = target.states.map(({ stateDir }) => stateDir);
      const items = asked === undefined ? {} : { items: [...everyFailure(ledgers)].filter(chosen) };
      await out.line(
        stringifyJson({ task: target.task, states, failed: total, classes, ...items, next: next ?? null }),
      );
    } else {
      const palette = createPalette(process.stdout);
      const where = target.states.map(({ stateDir }) => displayPath(stateDir)).join(", ");
      const inClasses = classes.length === 1 ? "1 class" : `${groupedCount(classes.length)} classes`;
      const summary = total === 0 ? "nothing has failed" : `${groupedCount(total)} failed, in ${inClasses}`;
      await out.line(`${palette.bold(escapeControls(target.task))}  ${summary}  ${palette.dim(where)}`);
      if (asked === undefined) for (const one of classes) await out.line(formatClass(one, palette));
      else for (const item of everyFailure(ledgers)) if (chosen(item)) await out.line(formatItem(item, palette));
      if (next !== undefined) await out.line(`  ${palette.cyan("→")} try them again:  ${next}`);
    }
    await out.flush();
    return 0;
  },
});

function* everyFailure(ledgers: readonly LedgerIndex[]): Generator<FailedItem> {
  for (const ledger of ledgers) yield* failedItems(ledger);
}

function formatClass({ class: name, count, message, attempts, keys }: FailureClass, palette: Palette): string {
  const { least, most } = attempts;
  const tries = least === most ? `${most}` : `${least} to ${most}`;
  const rest = count > keys.length ? ` and ${groupedCount(count - keys.length)} more` : "";
  return [
    `  ${palette.red(groupedCount(count))} × ${escapeControls(name)}`,
    `      ${palette.dim("first")}     ${escapeControls(message.split("\n", 1)[0]!)}`,
    `      ${palette.dim("attempts")}  ${tries}`,
    `      ${palette.dim("keys")}      ${keys.map((key) => escapeControls(key)).join(", ")}${rest}`,
  ].join("\n");
}

function formatItem({ key, message, stack, attempts, run }: FailedItem, palette: Palette): string {
  const text = escapeControls(stack?.includes(message) ? stack : message, "newlines");
  return [
    `  ${palette.bold(escapeControls(key))}  ${palette.dim(`${attempts} attempt${attempts === 1 ? "" : "s"}, run ${run}`)}`,
    ...text.split("\n").map((line) => `    ${line}`),
  ].join("\n");
}
