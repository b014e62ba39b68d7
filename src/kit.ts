/**
 * For authors of plug-ins, as `kagurazaka/kit`: everything that a backbone, a mode or a template needs. Does not import the
 * runner.
 */
export { encodeItem } from "./base/canonical-json.js";
export * from "./base/errors.js";
export { parseJson, stringifyJson } from "./base/exact-json.js";
export { hashHex, hashUnit, sha256Hex, shardOf } from "./base/hash.js";
export { type OpenItemProcesses, openItemProcesses } from "./base/item-processes.js";
export { didYouMean, nearestName } from "./base/nearest.js";
export * from "./base/option-spec.js";
export { killChildrenOf, killGroup, killProcessesOf } from "./base/process-group.js";
export { threadStack } from "./base/thread-stack.js";
export { activityLayout } from "./contracts/activity.js";
export * from "./contracts/define.js";
export type * from "./contracts/index.js";
export { isReservedField } from "./contracts/item.js";
export { templateModeFields } from "./contracts/modes.js";
export { nameOfSource, STANDARD_INPUT } from "./data/bytes/source-name.js";
export type { GlobOptions } from "./data/files/glob.js";
export {
  compareCodePoints,
  joinRelative,
  type WalkedDirectory,
  type WalkOptions,
  walkDirectories,
  walkFiles,
} from "./data/files/walk.js";
export type { CsvRecord, ReadCsvOptions } from "./data/lists/csv.js";
export type { JsonlRecord, ReadJsonlOptions } from "./data/lists/jsonl.js";
export type { JsonlWriter } from "./data/lists/jsonl-writer.js";
export {
  checkFileGlob,
  globFiles,
  openJsonlWriter,
  readCsv,
  readJsonl,
  readLines,
  writeJsonl,
} from "./data/lists/lazy.js";
export type { ReadLinesOptions } from "./data/lists/lines.js";
