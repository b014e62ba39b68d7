import { MAX_JSON_DEPTH } from "../base/exact-json.js";
import { defineOptions, type OptionValues } from "../base/option-spec.js";
import { own } from "../base/own.js";
import { escapeControls } from "../base/text.js";
import { cliOptions } from "../config/run-options.js";
import type { Row } from "../data/batch/batch.js";
import { assertJson, jsonText } from "../data/features/json-text.js";
import { checkColumns } from "../data/map/check-columns.js";
import { openSource, type Source } from "../data/source/source.js";
import { messages } from "./message-out.js";
import { createPalette } from "./messages.js";

/** What all commands over records take. */
export const sourceOptions = defineOptions({
  format: { type: "string", help: "the format of the files (default: by extension, else by content)" },
  formatOptions: { type: "map", help: "options of the format: delimiter=;" },
  split: { type: "string", help: "only this split" },
  config: { type: "string", help: "which configuration of a dataset that has several" },
  json: cliOptions.json,
});

export const columnsOption = defineOptions({
  columns: { type: "strings", help: "only these columns: id,text" },
});

type SourceValues = OptionValues<typeof sourceOptions>;

/** Opens what the words name, and says how it is read. */
export async function openWords(
  words: readonly string[],
  { format, formatOptions, split, config }: SourceValues,
): Promise<Source> {
  const source = await openSource(words, { format, options: formatOptions, split, config });
  for (const one of source.notes) note(one);
  return source;
}

export function note(text: string): void {
  const { dim } = createPalette(messages);
  messages.write(`${dim("note")} ${escapeControls(text)}\n`);
}

/** @throws KagurazakaError `features` for a column that there is not */
export async function chosenColumns(
  source: Source,
  columns: readonly string[] | undefined,
): Promise<readonly string[] | undefined> {
  const names = columns?.flatMap((text) => text.split(","));
  if (names) checkColumns(names, await source.features(), source.name);
  return names;
}

const MAX_CELL = 60;
const LEAST_CELL = 6;

/** Rows as a table that fits a terminal of so many columns. */
export function formatRows(rows: readonly Row[], names: readonly string[], width: number): string {
  const cells = rows.map((row) => names.map((name) => cellText(own(row, name))));
  const wanted = names.map((name, i) =>
    Math.min(MAX_CELL, Math.max(lengthOf(name), ...cells.map((row) => lengthOf(row[i]!)))),
  );
  const widths = narrowed(wanted, width - 2 * (names.length - 1));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => padded(cut(cell, widths[i]!), widths[i]!))
      .join("  ")
      .trimEnd();
  return [line(names), line(widths.map((one) => "─".repeat(one))), ...cells.map(line)].join("\n");
}

/** Takes from the widest columns until all fit. */
function narrowed(wanted: readonly number[], space: number): number[] {
  const widths = [...wanted];
  for (let over = widths.reduce((a, b) => a + b, 0) - space; over > 0; over--) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= LEAST_CELL) break;
    widths[widest]!--;
  }
  return widths;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string") return escapeControls(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  try {
    return escapeControls(jsonText({ value }).slice('{"value":'.length, -1));
  } catch {
    return escapeControls(Array.isArray(value) || ArrayBuffer.isView(value) ? `[${String(value)}]` : String(value));
  }
}

const lengthOf = (text: string): number => [...text].length;
const padded = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - lengthOf(text)));

function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}…`;
}

/**
 * A row as `--json` has it. A number that JSON has not is null, at any depth, and a value that has no JSON at all is text;
 * `onChanged` hears which column that was in, and what stood there.
 */
export function rowAsJson(row: Row, onChanged: (column: string, value: string) => void): string {
  try {
    return jsonText(row);
  } catch {
    return jsonText(
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asJson(name, value, onChanged)])),
    );
  }
}

function asJson(name: string, value: unknown, onChanged: (column: string, value: string) => void): unknown {
  if (isJson(value)) return value;
  const numbers = withNulls(value, 0, (number) => onChanged(name, String(number)));
  if (isJson(numbers)) return numbers;
  onChanged(name, "a value");
  return cellText(value);
}

function isJson(value: unknown): boolean {
  try {
    assertJson(value === undefined ? null : value, "");
    return true;
  } catch {
    return false;
  }
}

/** With null for numbers that are not finite. */
function withNulls(value: unknown, depth: number, onNull: (number: number) => void): unknown {
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    onNull(value);
    return null;
  }
  const inner = (one: unknown): unknown => withNulls(one, depth + 1, onNull);
  if (typeof value !== "object" || value === null || depth === MAX_JSON_DEPTH || value instanceof Uint8Array)
    return value;
  if (Array.isArray(value)) return value.map(inner);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, inner);
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inner(one)]));
}
