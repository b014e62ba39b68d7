import { escapeControls, groupedCount } from "../../base/text.js";
import { prepareRun } from "../../runner/prepare/prepare-run.js";
import { auditShard, type ShardAudit } from "../../runner/tools/audit/audit-shard.js";
import { type Finding, findings } from "../../runner/tools/audit/findings.js";
import { formatAudit } from "../audit-report.js";
import { captureOutput } from "../capture-output.js";
import { defineCommand } from "../command.js";
import { createConsole } from "../console.js";
import { KeyLines } from "../data-out.js";
import { formatCommand, shownWords } from "../format-command.js";
import { createPalette } from "../messages.js";
import { dataOut, printJson } from "../stdout.js";

/** What `--list` prints the keys of: one finding, or all that only a `--force` does again. */
const lists = [...Object.keys(findings), "force"];

export const command = defineCommand({
  name: "verify",
  words: [],
  takes: "run",
  options: {
    deep: { type: "boolean", default: false, help: "Ask the task's isExecuted() and verify() as well." },
    list: {
      type: "string",
      choices: lists,
      placeholder: "FINDING",
      help: `Print the keys of one finding: ${lists.join(", ")}.`,
    },
  },
  help: "Compares the items of a run with ledger, outputs and checks. Exit 0: the same run would have nothing to do, and nothing recorded is contradicted. Exit 3: the last line is the command to give next.",
  notes: ["Example:\n  kagurazaka verify task.ts MyTask --in in --out out --list missing"],
  async run({ values: { deep, list }, run: input, runArgv }) {
    const prepared = await prepareRun(input);
    const { ui, run } = prepared.config;
    const screen = createConsole(ui);
    if (run.limit !== undefined) screen.note("--limit does not narrow an audit: all items are looked at");
    const keys = new KeyLines();
    const listed: string[] = [];
    const onItem = (key: string, finding: Finding, needsForce: boolean): void => {
      const line = finding === list || (list === "force" && needsForce) ? keys.lineOf(key) : undefined;
      if (line !== undefined) listed.push(`${line}\n`);
    };
    const audits: ShardAudit[] = [];
    // What the task prints while it lists or looks is no part of the report.
    const release = captureOutput(screen.print);
    try {
      const hooks = { deep, onLog: screen.log, ...(list === undefined ? {} : { onItem }) };
      for (const shard of prepared.shards.keys()) audits.push(await auditShard(prepared, shard, hooks));
    } finally {
      screen.end();
      release();
    }
    const isSound = audits.every((audit) => audit.isSound);
    const rest = shownWords(runArgv, prepared.config.entries);
    const next = audits.map((audit) => mend(audit, { rest, deep })).find((remedy) => remedy !== undefined);
    if (list !== undefined) {
      dataOut().write(listed.join(""));
      if (keys.note !== undefined) screen.note(keys.note);
    } else if (ui.json) {
      printJson({ task: prepared.program.ref.id, isSound, roots: audits, next: next?.command ?? null });
    } else {
      const palette = createPalette(process.stdout);
      const total = audits.reduce((sum, audit) => sum + audit.total, 0);
      const verdict = isSound ? palette.green("finished and sound") : palette.red("not finished, or not sound");
      const lines = [
        `${palette.bold(escapeControls(prepared.program.ref.id))}  ${groupedCount(total)} items: ${verdict}`,
        ...audits.map((audit) => formatAudit(audit, palette)),
        ...(next === undefined ? [] : [`  ${palette.cyan("→")} ${next.label}:  ${next.command}`]),
      ];
      dataOut().write(`${lines.join("\n")}\n`);
    }
    return isSound ? 0 : 3;
  },
});

interface Remedy {
  readonly label: string;
  readonly command: string;
}

/** The one command that mends most of it; what is left shows the next time. */
function mend(audit: ShardAudit, { rest, deep }: { rest: readonly string[]; deep: boolean }): Remedy | undefined {
  const { items, remedies, leftovers, damaged, damagedState, failedFile, goesOnWithEpoch, isSound, running } = audit;
  if (isSound) return undefined;
  const again = (label: string, change: Parameters<typeof formatCommand>[1] = {}): Remedy => ({
    label,
    command: formatCommand(rest, change),
  });
  if (running.some(({ isCertain }) => isCertain)) return again("when the run has ended", { before: "verify" });
  const sweeps =
    leftovers.staging.length > 0 || failedFile?.agrees === false || damagedState !== null || goesOnWithEpoch;
  if (remedies.run > 0 || sweeps) return again("go on");
  if (remedies.retry > 0) return again("try the failed items again", { flags: "--retry-failed" });
  if (remedies.force > 0) {
    const keys = formatCommand(rest, { before: "verify", flags: `${deep ? "--deep " : ""}--list force` });
    const redo = formatCommand(rest, { flags: "--keys again.txt --force" });
    return { label: "do those items again", command: `${keys} > again.txt; ${redo}` };
  }
  if (items.undecided.count > 0) return again("ask the task", { before: "verify", flags: "--deep" });
  if (damaged.lines > 0 || leftovers.ledger.length > 0) return again("clean the ledger", { before: "ledger compact" });
  return again("see why they cannot run", { before: "failures" });
}
