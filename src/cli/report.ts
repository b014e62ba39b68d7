import { resolve } from "node:path";
import { amountText, escapeControls, groupedCount, shortCount, shortDuration, shortRate } from "../base/text.js";
import type { Resolved } from "../config/resolve.js";
import type { DryRun } from "../contracts/outcome.js";
import type { RunInfo } from "../contracts/run-hooks.js";
import { displayPath } from "../loader/paths.js";
import type { RunResult } from "../runner/run/run-result.js";
import { quote, withFlags } from "./format-command.js";
import type { Palette } from "./messages.js";

/** The first lines of a run: what, on what, from where to where. */
export function formatHeader(info: RunInfo, source: string, palette: Palette): string {
  const slots = info.concurrency <= info.workers ? "" : `, ${info.concurrency} items at once`;
  const workers = info.workers === 0 ? "nodes of a fleet" : `${info.workers} worker${info.workers === 1 ? "" : "s"}`;
  const rows: [string, string][] = [
    ["task", `${info.task}  ${palette.dim(source)}`],
    ["backbone", `${info.backbone}, ${workers}${slots}`],
  ];
  const more =
    info.shards === 1 ? "" : palette.dim(`  and ${info.shards - 1} more shard${info.shards === 2 ? "" : "s"}`);
  if (info.inputRoot !== null) rows.push(["input", displayPath(info.inputRoot) + more]);
  if (info.outputRoot !== null) rows.push(["output", displayPath(info.outputRoot) + more]);
  rows.push(["run", displayPath(info.runDir)]);
  return table(rows, palette);
}

/** The last lines of a run. */
export function formatReport(result: RunResult, palette: Palette): string {
  const { counts, stats } = result;
  const rows: [string, string][] = [];
  const add = (name: string, count: number, note = "", paint = (text: string) => text): void => {
    if (count > 0) rows.push([name, `${paint(groupedCount(count))}${note === "" ? "" : `  ${palette.dim(note)}`}`]);
  };
  add("done", counts.done, "", palette.green);
  add("skipped", counts.skipped, "finished before, or listed twice");
  add("filtered", counts.filtered, "the task had nothing to do");
  add("failed", counts.failed, "", palette.red);
  if (result.failedInTotal > 0)
    rows.push(["", palette.dim(`listed in ${displayPath(resolve(result.runDir, "../../failed.jsonl"))}`)]);
  for (const { class: name, count } of stats.failures.slice(0, 8))
    rows.push(["", palette.dim(`${shortCount(count)} × ${escapeControls(name)}`)]);
  if (stats.failures.length > 8) rows.push(["", palette.dim(`and ${stats.failures.length - 8} more classes`)]);
  add("cancelled", counts.cancelled, "run again next time");
  if (counts.total === 0) rows.push(["items", palette.yellow("none")]);
  add("retries", stats.retries);
  rows.push(["time", `${shortDuration(result.elapsedMs)}  ${palette.dim(shortRate(result.itemsPerSecond))}`]);
  for (const [name, amount] of Object.entries(stats.amounts)) {
    const exact = name.startsWith("bytes") ? amountText(name, amount) : groupedCount(amount);
    const rate = `${amountText(name, (amount * 1000) / Math.max(1, result.elapsedMs))}/s`;
    rows.push([name.replaceAll("_", " "), `${exact}  ${palette.dim(rate)}`]);
  }
  const ran = counts.done + counts.filtered + counts.failed;
  if (ran > 0) {
    const { p50, p95, max } = stats.durationMs;
    const times = [`p50 ${shortDuration(p50)}`, `p95 ${shortDuration(p95)}`, `max ${shortDuration(max)}`];
    // How busy the nodes of a fleet were, their own reports tell.
    if (result.concurrency > 0) times.push(`workers ${Math.round(stats.utilisation * 100)}% busy`);
    rows.push(["per item", times.join(" · ")]);
    const slowest = stats.slowest.filter(({ durationMs }) => durationMs >= 1).slice(0, 3);
    const shown = slowest.map(
      ({ key, durationMs }) => `${escapeControls(key)} ${palette.dim(shortDuration(durationMs))}`,
    );
    if (slowest.length > 0 && ran > 3) rows.push(["slowest", shown.join(", ")]);
    if (result.mostlyWaited)
      rows.push([
        "waiting",
        `items mostly waited, the processors were idle: try --concurrency ${4 * result.concurrency}`,
      ]);
  }
  return table(rows, palette);
}

/** What to type next, if anything; `command` is what was typed now. */
export function nextCommand(result: RunResult, argv: readonly string[]): string | undefined {
  const { counts, error, failedInTotal } = result;
  const written = (words: readonly string[]): string => ["kagurazaka", ...words.map(quote)].join(" ");
  const command = written(argv);
  if (error || counts.cancelled > 0) return `go on:  ${command}`;
  // With --skip-failed the failed items are left out on purpose.
  if (failedInTotal > 0 && !/--skip[-_]?failed/i.test(command))
    return `try the failed items again:  ${command.includes("--retry-failed") ? command : written(withFlags(argv, ["--retry-failed"]))}`;
  return undefined;
}

function table(rows: readonly [string, string][], palette: Palette): string {
  const width = Math.max(9, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${palette.dim(name.padEnd(width))} ${value}`).join("\n");
}

/** `--dry-run`. */
export function formatDryRun({ warnings, total, run, skipped, refused, examples }: DryRun): string {
  const rows: [string, string][] = [
    ["listed", groupedCount(total)],
    ["would run", groupedCount(run)],
  ];
  for (const [reason, count] of Object.entries(skipped)) rows.push(["skip", `${groupedCount(count)}  (${reason})`]);
  for (const [code, count] of Object.entries(refused)) rows.push(["refuse", `${groupedCount(count)}  (${code})`]);
  const lines = [
    ...warnings.map((warning) => `warning ${warning}`),
    ...rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`),
  ];
  if (examples.length > 0) lines.push("", "  first to run:");
  for (const { key, outputs } of examples) {
    const to = outputs.map((path) => escapeControls(displayPath(path))).join(", ");
    lines.push(`    ${escapeControls(key)}${outputs.length === 0 ? "" : ` → ${to}`}`);
  }
  return `${lines.join("\n")}\n`;
}

/** `--show-config`: every value and its origin. */
export function formatShowConfig({ entries }: Resolved): string {
  const rows = entries.map(({ path, value, origin }) => [`${path} = ${JSON.stringify(value)}`, origin.text] as const);
  const width = Math.min(72, Math.max(0, ...rows.map(([left]) => left.length)));
  return rows.map(([left, from]) => `${left.padEnd(width)}  # ${from}\n`).join("");
}
