import { escapeControls, groupedCount, shortDuration, shortRate } from "../base/text.js";
import type { FleetNode, FleetRun } from "../contracts/fleet-control.js";
import type { Palette } from "./messages.js";

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

export function formatRuns(runs: readonly FleetRun[], palette: Palette): string {
  if (runs.length === 0) return "there are no runs\n";
  const rows = runs.map((run) => {
    const { counts, itemsPerSecond, inFlight, exitCode } = run.report ?? {};
    const state = run.state === "ended" && exitCode !== undefined ? `ended (${exitCode})` : run.state;
    return [
      run.run,
      escapeControls(run.task),
      state,
      groupedCount(counts?.done ?? 0),
      groupedCount(counts?.failed ?? 0),
      groupedCount(inFlight ?? 0),
      run.state === "running" ? shortRate(itemsPerSecond ?? 0) : "",
      escapeControls(`${run.coordinator.host}:${run.coordinator.pid}`),
    ];
  });
  const [head, ...rest] = table([
    ["RUN", "TASK", "STATE", "DONE", "FAILED", "IN FLIGHT", "RATE", "COORDINATOR"],
    ...rows,
  ]);
  return `${palette.bold(head!)}\n${rest.join("\n")}\n`;
}

export function formatRun(run: FleetRun, palette: Palette): string {
  const { report } = run;
  const lines = [
    `${palette.bold(run.run)}  ${escapeControls(run.task)}  ${run.state}${report?.exitCode === undefined ? "" : `, exit ${report.exitCode}`}`,
    `  coordinator  ${escapeControls(run.coordinator.host)}, pid ${run.coordinator.pid}, since ${run.startedAt}`,
    `  queue        ${run.chunks.waiting} chunks wait, ${run.chunks.active} at nodes`,
  ];
  if (run.state === "orphaned")
    lines.push("  The coordinator is gone. Give the command of the run again: it takes over.");
  if (!report) return `${lines.join("\n")}\n`;
  const { counts, listed, inFlight, waiting, itemsPerSecond, elapsedMs, oldest } = report;
  const shown = (["done", "skipped", "filtered", "failed", "cancelled"] as const).filter(
    (status) => counts[status] > 0,
  );
  lines.push(
    `  items        ${shown.map((status) => `${groupedCount(counts[status])} ${status}`).join(", ") || "none yet"}`,
  );
  if (run.state === "ended") {
    const ran = counts.done + counts.filtered + counts.failed;
    const mean = elapsedMs > 0 ? `, ${shortRate((ran * 1000) / elapsedMs)}` : "";
    lines.push(`  took         ${shortDuration(elapsedMs)}${mean}`);
  } else {
    lines.push(
      `  left         ${groupedCount(inFlight)} in flight, ${groupedCount(waiting)} waiting${listed ? "" : ", still listing"}`,
    );
    lines.push(`  speed        ${shortRate(itemsPerSecond)}, running for ${shortDuration(elapsedMs)}`);
    for (const { key, sinceMs } of oldest)
      lines.push(`  oldest       ${escapeControls(key)} for ${shortDuration(sinceMs)}`);
  }
  for (const failure of report.failures.slice(0, 5))
    lines.push(
      `  failed       ${groupedCount(failure.count)} × ${escapeControls(failure.class)} (first: ${escapeControls(failure.key)})`,
    );
  return `${lines.join("\n")}\n`;
}

export function formatNodes(nodes: readonly FleetNode[], palette: Palette): string {
  if (nodes.length === 0) return "no worker is connected\n";
  const rows = nodes.map((node) => [
    escapeControls(node.node),
    escapeControls(node.task),
    node.leaving ? "leaving" : node.run === undefined ? "idle" : `run ${escapeControls(node.run)}`,
    `${Math.min(node.inFlight, node.slots)}/${node.slots}`,
    groupedCount(Math.max(0, node.inFlight - node.slots)),
    groupedCount(node.settled),
    shortRate(node.itemsPerSecond),
    megabytes(node.rssBytes),
    escapeControls(node.version),
    node.ageMs > 5000 ? `silent for ${shortDuration(node.ageMs)}` : "",
  ]);
  const [head, ...rest] = table([
    ["NODE", "TASK", "STATE", "RUNNING", "QUEUED", "SETTLED", "RATE", "MEMORY", "VERSION", ""],
    ...rows,
  ]);
  return `${palette.bold(head!)}\n${rest.join("\n")}\n`;
}
