import { join } from "node:path";
import { environmentError, errnoOf } from "../../../base/disk.js";
import { KagurazakaError } from "../../../base/errors.js";
import { jsonText } from "../../../base/json-file.js";
import { readOwn } from "../../../base/own-file.js";
import { replaceFile } from "../../../base/whole-file.js";
import type { FileChoice, Rule, SplitSettings, Way } from "./settings.js";

const VERSION = 1;

/** Describes a directory of shards, in `<base>/.kagurazaka-split.json`: one entry for each name that is split into it. */
export interface SplitRecord {
  readonly version: typeof VERSION;
  readonly splits: Readonly<Record<string, SplitEntry>>;
}

interface SplitEntry extends FileChoice {
  readonly input: string;
  readonly rule: Rule;
  /** Of the last command. It may change: a file that is in its shard is done, whichever way it came. */
  readonly by: Way;
  readonly shards: number;
}

const recordPath = (base: string): string => join(base, ".kagurazaka-split.json");

export function readRecord(base: string): SplitRecord | undefined {
  const path = recordPath(base);
  let text: string;
  try {
    text = readOwn(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw environmentError("read", path, error);
  }
  const record = parse(text);
  if (record?.version === VERSION && typeof record.splits === "object") return record;
  throw new KagurazakaError("usage", "the record of what was split here cannot be read", {
    where: path,
    hint: "It was written by another version or changed by hand; say another --into.",
  });
}

function parse(text: string): SplitRecord | undefined {
  try {
    return JSON.parse(text) as SplitRecord;
  } catch {
    return undefined;
  }
}

/** Appears whole, and is on disk before the first file goes. */
export function writeRecord(base: string, name: string, entry: SplitEntry, before: SplitRecord | undefined): void {
  const path = recordPath(base);
  const record: SplitRecord = { version: VERSION, splits: { ...before?.splits, [name]: entry } };
  replaceFile(path, jsonText(record), { temporary: `${path}.tmp`, durable: true });
}

/** A split that goes on with other settings would leave files in two shards, or in none. */
export function refuseOtherSplit(settings: SplitSettings, record: SplitRecord | undefined): void {
  const before = entryOf(record, settings.name);
  const where = recordPath(settings.base);
  const hint = "Give the same command as then, or say another --into.";
  if (before) {
    const asked = { input: settings.input, ...settings.choice, rule: settings.rule };
    const changes = [
      ...(["input", "exts", "only", "hidden"] as const)
        .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(asked[field]))
        .map((field) => `${field} was ${JSON.stringify(before[field])} and is ${JSON.stringify(asked[field])}`),
      ...(wordsOf(before.rule) === wordsOf(asked.rule)
        ? []
        : [`it was ${wordsOf(before.rule)} and is ${wordsOf(asked.rule)}`]),
    ];
    if (changes.length === 0) return;
    const message = `${settings.base} holds another split of the name "${settings.name}": ${changes.join("; ")}`;
    throw new KagurazakaError("usage", message, { where, hint });
  }
  if (settings.rule.kind !== "fill") refuseOtherCount(settings, settings.rule.shards, record);
}

/** Names in one base have the same number of shards, or their directories would not belong together. */
export function refuseOtherCount(settings: SplitSettings, shards: number, record: SplitRecord | undefined): void {
  for (const [name, entry] of Object.entries(record?.splits ?? {})) {
    if (name === settings.name || entry.shards === shards) continue;
    const message = `${settings.base} holds "${name}" in ${entry.shards} shards; "${settings.name}" would have ${shards}`;
    const hint = `Say --shards ${entry.shards}, or another --into.`;
    throw new KagurazakaError("usage", message, { where: recordPath(settings.base), hint });
  }
}

export const entryOf = (record: SplitRecord | undefined, name: string): SplitEntry | undefined =>
  record && Object.hasOwn(record.splits, name) ? record.splits[name] : undefined;

function wordsOf(rule: Rule): string {
  if (rule.kind !== "fill") return `--shards ${rule.shards}${rule.kind === "lightest" ? " --balance size" : ""}`;
  const words = [
    rule.maxFiles !== null && `--max-files ${rule.maxFiles}`,
    rule.maxSize !== null && `--max-size ${rule.maxSize}`,
  ];
  return words.filter(Boolean).join(" ");
}
