import { escapeControls, groupedCount } from "../base/text.js";
import { displayPath } from "../loader/paths.js";
import type { SplitResult } from "../runner/tools/split/split.js";
import { quote } from "./format-command.js";
import type { Palette } from "./messages.js";

const MAX_ROWS = 40;
const ROWS_OF_MANY = 10;

/** What a split has done, or would do, and the words that read it back. */
export function formatSplit(
  result: SplitResult,
  { dryRun, by }: { readonly dryRun: boolean; readonly by: "link" | "copy" | "move" },
  palette: Palette,
): { readonly text: string; readonly mixin: string } {
  const { placed, there, gone, failed, passedOver } = result;
  const lines = [...tableOf(result, palette), ""];
  const say = (name: string, count: number, note = ""): void => {
    if (count > 0)
      lines.push(`  ${name.padEnd(9)} ${groupedCount(count)}${note === "" ? "" : `  ${palette.dim(note)}`}`);
  };
  if (!dryRun && placed === 0 && failed.count === 0)
    lines.push(
      `  ${palette.green("nothing to do")}: ${there === 0 ? "the input has no files" : `all ${files(there)} are in their shards`}`,
    );
  say(dryRun ? `to ${by}` : done[by], placed);
  if (placed > 0 || failed.count > 0) say("there", there, "placed before");
  say("gone", gone, "neither in the input nor in a shard any more");
  say("failed", failed.count);
  for (const { key, why } of failed.first)
    lines.push(`    ${palette.red(escapeControls(key))}: ${escapeControls(why)}`);
  if (failed.count > failed.first.length)
    lines.push(`    and ${groupedCount(failed.count - failed.first.length)} more`);
  for (const { why, count, first } of passedOver)
    say(
      "left out",
      count,
      `${why}${why === "hidden" ? " (--hidden takes them)" : ""}: ${escapeControls(first)}${count > 1 ? " …" : ""}`,
    );
  const mixin = mixinOf(result);
  if (!dryRun) lines.push("", `  ${palette.cyan("→")} read them back:  --mixin ${quote(mixin)}`);
  return { text: `${lines.join("\n")}\n`, mixin };
}

const done = { link: "linked", copy: "copied", move: "moved" };
const files = (count: number): string => `${groupedCount(count)} file${count === 1 ? "" : "s"}`;

function tableOf({ shards, base, name }: SplitResult, palette: Palette): string[] {
  const total = (of: "files" | "bytes"): number => shards.reduce((sum, shard) => sum + shard[of], 0);
  const shown = shards.length > MAX_ROWS ? shards.slice(0, ROWS_OF_MANY) : shards;
  const rows = shown.map((shard) => [shard.name, groupedCount(shard.files), sizeText(shard.bytes)] as const);
  const all = ["all", groupedCount(total("files")), sizeText(total("bytes"))] as const;
  const row = ([shard, count, bytes]: readonly [string, string, string]): string =>
    `  ${shard.padEnd(9)} ${count.padStart(13)}  ${bytes.padStart(10)}`;
  const head = palette.dim(`${row(["shard", "files", "bytes"])}  ${displayPath(base)}/<shard>/${escapeControls(name)}`);
  const rest = shards.length > shown.length ? [`  … ${shards.length - shown.length} more, ${rangeText(shards)}`] : [];
  return [head, ...rows.map(row), ...rest, row(all)];
}

function rangeText(shards: SplitResult["shards"]): string {
  const least = (of: "files" | "bytes"): number =>
    shards.reduce((least, shard) => Math.min(least, shard[of]), Infinity);
  const most = (of: "files" | "bytes"): number => shards.reduce((most, shard) => Math.max(most, shard[of]), 0);
  const sizes = `${sizeText(least("bytes"))} to ${sizeText(most("bytes"))}`;
  return `${groupedCount(least("files"))} to ${files(most("files"))}, ${sizes} each`;
}

/** `950 B`, `12.3 KB`, `1.20 TB`; powers of 1000, as sizes are read. */
function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(5, Math.floor(Math.log10(bytes) / 3));
  const amount = bytes / 1000 ** power;
  return `${amount.toFixed(amount < 10 ? 2 : amount < 100 ? 1 : 0)} ${"KMGTP"[power - 1]}B`;
}

/** Outputs go beside the inputs: what is on a shard's disk stays there. */
function mixinOf({ base, name, shards }: SplitResult): string {
  const [first, last] = [shards[0]!.name, shards.at(-1)!.name];
  const fields = {
    use: "HardShardModeV1",
    base_input_path: plain(base),
    base_output_path: plain(base),
    input_name: plain(name),
    output_name: plain(`${name}-out`),
    shard_idx: JSON.stringify(first === last ? first : `${first}-${last}`),
  };
  const text = Object.entries(fields).map(([key, value]) => `${key}: ${value}`);
  return `hard_shard_mode={${text.join(", ")}}`;
}

/** As YAML reads it back as this text. */
const plain = (text: string): string =>
  /^[A-Za-z_/][\w./-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
