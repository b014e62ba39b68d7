import { checkLine } from "../../base/checksum.js";
import { isHashShard, isPartition, isSoftPartition } from "../../contracts/partition.js";
import {
  isCheckpoint,
  isEpochComplete,
  isEpochOpen,
  isHeader,
  isOutcomeLine,
  type LedgerLine,
  parseLine,
} from "./lines.js";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Parses the line in `bytes[start, end)`; undefined: it is damaged. Objects of unknown kinds are accepted.
 * @param isChecked every line has a checksum
 */
export function parseSound(
  bytes: Buffer,
  start: number,
  end: number,
  isChecked: boolean,
): Partial<LedgerLine> | undefined {
  const line = parseLine(bytes.toString("utf8", start, end));
  if (line === undefined) return undefined;
  const check = checkLine(bytes, start, end);
  // In a compacted file, the segment of an older version may follow one with checksums.
  const mayHaveNone = (!isChecked || isHeader(line)) && !Object.hasOwn(line, "c");
  const isWhole = check === "sound" || (check === "none" && mayHaveNone);
  return isWhole && hasItsFields(line) ? line : undefined;
}

/** Whether a line of a known kind has what readers expect of it. Without a checksum, damage may show in this alone. */
function hasItsFields(line: Partial<LedgerLine>): boolean {
  const fields = line as Fields;
  if (isText(fields.k) && isText(fields.s)) return isOutcomeLine(line) && isOutcome(fields);
  if ("epoch" in line && ("open" in line || "complete" in line))
    return (isEpochOpen(line) || isEpochComplete(line)) && isScope(fields.scope);
  if ("sync" in line) return isCheckpoint(line);
  return !isHeader(line) || isSoundHeader(fields);
}

function isOutcome({ s, class: name, error, reason }: Fields): boolean {
  if (s === "failed") return isText(name) && isObject(error) && isText(error.message);
  return s === "done" || isText(reason);
}

/** Fields may be missing that older versions did not have. */
function isSoundHeader({ seq, epoch, at, module, options, task, boot, host, covers, shard }: Fields): boolean {
  return (
    [seq, epoch].every((one) => one === undefined || Number.isSafeInteger(one)) &&
    [at, module, options, task, host].every((one) => one === undefined || isText(one)) &&
    (covers === undefined || areTexts(covers)) &&
    // Only runs of a known boot are asked for their part of the input.
    (boot === undefined || boot === null || (isText(boot) && isPartition(shard)))
  );
}

function isScope(scope: unknown): boolean {
  if (!isObject(scope)) return false;
  const { shard, soft, only, samplePercent, keys } = scope;
  return (
    (shard === undefined || isHashShard(shard)) &&
    (soft === undefined || isSoftPartition(soft)) &&
    (only === undefined || areTexts(only)) &&
    (samplePercent === undefined || typeof samplePercent === "number") &&
    (keys === undefined || isText(keys))
  );
}

const isText = (value: unknown): value is string => typeof value === "string";
const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
