import { escapeControls, groupedCount } from "../base/text.js";
import type { Resolved } from "../config/resolve.js";
import { displayPath } from "../loader/paths.js";
import type { DryRun } from "../runner/tools/preview/dry-run.js";

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
    lines.push(
      `    ${escapeControls(key)}${outputs.length === 0 ? "" : ` → ${outputs.map((path) => escapeControls(displayPath(path))).join(", ")}`}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** `--show-config`: every value and its origin. */
export function formatShowConfig({ entries }: Resolved): string {
  const rows = entries.map(({ path, value, origin }) => [`${path} = ${JSON.stringify(value)}`, origin.text] as const);
  const width = Math.min(72, Math.max(0, ...rows.map(([left]) => left.length)));
  return rows.map(([left, from]) => `${left.padEnd(width)}  # ${from}\n`).join("");
}
