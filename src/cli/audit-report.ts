import { escapeControls, groupedCount } from "../base/text.js";
import { displayPath } from "../loader/paths.js";
import { type Aspect, aspects, describeDamage } from "../runner/ledger/index.js";
import type { ShardAudit } from "../runner/tools/audit/audit-shard.js";
import { type Finding, findings } from "../runner/tools/audit/findings.js";
import type { Palette } from "./messages.js";

const quiet: ReadonlySet<Finding> = new Set<Finding>(["finished", "filtered"]);
const names: Partial<Record<Finding, string>> = { neverRun: "never run" };

/** What was found in one root, for people. */
export function formatAudit(audit: ShardAudit, palette: Palette): string {
  const lines: string[] = [];
  /** @param examples stand below, with how many of `count` are left out */
  const row = (name: string, text: string, examples: readonly string[] = [], count = 0): void => {
    const below = examples.map((example) => escapeControls(example));
    if (below.length > 0 && count > below.length) below.push(`and ${groupedCount(count - below.length)} more`);
    lines.push(`  ${palette.dim(name.padEnd(10))} ${text}`, ...below.map((line) => `${" ".repeat(13)}${line}`));
  };
  if (audit.outputRoot !== null) row("output", displayPath(audit.outputRoot));
  row("state", displayPath(audit.stateDir));
  for (const { run, host, pid, isCertain } of audit.running) {
    const where = isCertain ? `pid ${pid}` : `host ${host}, pid ${pid}, if it still lives`;
    row("at work", palette.yellow(`run ${run} (${where}): what is found may be out of date`));
  }
  for (const finding of Object.keys(findings) as Finding[]) {
    const { count, examples } = audit.items[finding];
    if (count === 0 && finding !== "finished") continue;
    const paint = finding === "finished" ? palette.green : quiet.has(finding) ? (text: string) => text : palette.red;
    const shown = quiet.has(finding) ? [] : examples;
    const note = findings[finding] === "" ? "" : `  ${palette.dim(findings[finding])}`;
    const more = shown.map(({ key, says }) => (says === undefined ? key : `${key}: ${says}`));
    row(names[finding] ?? finding, `${paint(groupedCount(count))}${note}`, more, count);
  }
  if (audit.deepChecked !== null)
    row("deep", `${groupedCount(audit.deepChecked)}  ${palette.dim("looked at by the task's own code")}`);
  for (const aspect of Object.keys(aspects) as Aspect[]) {
    if (audit.stale[aspect] === 0) continue;
    const what = aspect === "version" ? "another version of the task" : `other ${aspect}`;
    row("stale", `${palette.yellow(groupedCount(audit.stale[aspect]))}  ${palette.dim(`made by ${what}; kept`)}`);
  }
  if (audit.orphans === null) row("orphans", palette.dim(`not looked for: ${audit.orphansNote}`));
  else if (audit.orphans.count > 0) {
    const { count, files } = audit.orphans;
    const note = palette.dim("files in the output root that belong to no item");
    row("orphans", `${palette.yellow(groupedCount(count))}  ${note}`, files, count);
  }
  for (const line of problems(audit)) row("problem", palette.red(line));
  return lines.join("\n");
}

/** What is wrong with the root as a whole. */
function problems({ leftovers, damaged, damagedState, openEpochs, goesOnWithEpoch, failedFile }: ShardAudit): string[] {
  const found: string[] = [];
  if (goesOnWithEpoch) found.push("a --force over these items was not finished");
  else if (openEpochs.length > 0)
    found.push(`${openEpochs.length} × a --force over a part of the items was not finished`);
  if (damaged.lines > 0) {
    const lines = damaged.lines === 1 ? "1 damaged line" : `${groupedCount(damaged.lines)} damaged lines`;
    const where = describeDamage({ count: damaged.lines, places: damaged.places }, displayPath);
    found.push(`${lines} in the ledger, left out: ${escapeControls(where)}`);
  }
  if (damagedState !== null)
    found.push(`${escapeControls(displayPath(damagedState))} is damaged; the next run writes it anew`);
  if (failedFile && !failedFile.agrees) {
    const { missing, extra } = failedFile;
    found.push(
      `failed.jsonl does not agree with the ledger: ${missing} keys are not in it, ${extra} lines should not be`,
    );
  }
  if (leftovers.staging.length > 0)
    found.push(`staging of ${leftovers.staging.length} dead runs: ${leftovers.staging.slice(0, 3).join(", ")}`);
  if (leftovers.ledger.length > 0)
    found.push(`${leftovers.ledger.length} files that a killed "ledger compact" has left`);
  return found;
}
