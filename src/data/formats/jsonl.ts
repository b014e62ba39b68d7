import { mayHaveLargeIntegers, parseJson } from "../../base/exact-json.js";
import type { Row } from "../batch/batch.js";
import { defineFormat, type Packing } from "./format.js";
import { jsonText } from "./text/json-text.js";
import { BadLine } from "./text/line-rows.js";
import { LineReader } from "./text/text-reader.js";
import { openTextWriter } from "./text/text-writer.js";

/** One JSON object a line. Integers beyond 2^53 are exact. */
export default defineFormat({
  name: "jsonl",
  help: "one JSON object a line",
  extensions: [".jsonl", ".ndjson"],
  packs: true,
  codecs: [],
  options: {},
  hasSchema: false,
  recognises: (head) => /^\ufeff?\s*\{[^\n]*\}\s*\n\s*\{/.test(head.toString("utf8")),
  open: async ({ file, packing, features }) =>
    new LineReader({ file, packing, features, formatName: "JSON lines", parserFor }),
  create: ({ path, compression }) =>
    openTextWriter({ path, packing: compression as Packing, textOf: (row) => `${jsonText(row)}\n` }),
});

/** How a line is parsed depends on what stands in its block: rare things are looked for once, and cost nothing elsewhere. */
function parserFor(text: string): (line: string) => Row | undefined {
  const parse = mayHaveLargeIntegers(text) ? parseJson : JSON.parse;
  const mayHaveProto = text.includes("__proto__") || text.includes("\\u005");
  return (line) => {
    if (line.length === 0 || (line.charCodeAt(0) < 33 && line.trim() === "")) return undefined;
    const row = parseLine(line, parse);
    if (typeof row !== "object" || row === null || Array.isArray(row))
      throw new BadLine(notObject(row), "Each line must be one JSON object.");
    if (mayHaveProto) checkKeys(row);
    return row as Row;
  };
}

function parseLine(line: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(line);
  } catch (error) {
    throw new BadLine(...whyNotJson(line, error as Error));
  }
}

/** What is wrong, and what to do. */
export function whyNotJson(text: string, error: Error): [what: string, hint?: string] {
  if (error instanceof RangeError) return [error.message];
  if (/[:[,\s](?:NaN|-?Infinity)\s*(?:[,}\]]|$)/.test(text))
    return [
      `not JSON: NaN and Infinity are no JSON`,
      "Write null or a text for them; Python writes JSON with allow_nan=False.",
    ];
  return [`not JSON: ${error.message}`, `The line begins ${JSON.stringify(text.slice(0, 60))}.`];
}

const notObject = (value: unknown): string =>
  `not an object but ${Array.isArray(value) ? "an array" : JSON.stringify(value)?.slice(0, 60)}`;

/** @throws BadLine for a key that would change what an object is */
export function checkKeys(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "__proto__")) throw new BadLine('a key is "__proto__"', "Rename it in the file.");
  for (const inner of Object.values(value)) checkKeys(inner);
}
