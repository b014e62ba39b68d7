import { mayHaveLargeIntegers, parseJson, parsePlainJson } from "../../base/exact-json.js";
import type { Row } from "../batch/batch.js";
import { jsonWriter } from "../features/json-text.js";
import { defineFormat, type Packing } from "./format.js";
import { checkKeys, notObject, whyNotJson } from "./text/json-row.js";
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
  cutsAnywhere: true,
  recognises: (head) => /^\ufeff?\s*\{[^\n]*\}\s*\n\s*\{/.test(head.toString("utf8")),
  open: async ({ file, packing, features }) =>
    new LineReader({ file, packing, features, formatName: "JSON lines", parserFor }),
  create: ({ path, compression, features }) => {
    const toText = jsonWriter(features);
    return openTextWriter({ path, packing: compression as Packing, textOf: (row) => `${toText(row)}\n` });
  },
});

/** How a line is parsed depends on what stands in its block: rare things are looked for once, and cost nothing elsewhere. */
function parserFor(text: string): (line: string) => Row | undefined {
  const parse = mayHaveLargeIntegers(text) ? parseJson : parsePlainJson;
  const mayHaveProto = text.includes("__proto__") || text.includes("\\u00");
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
