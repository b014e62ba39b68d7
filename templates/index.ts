/** Templates: the decorators and the modes they are put together from. A mode's name in configuration is its name here. */
export { default as FinishCheckByLedger } from "./modes/finish-check-by-ledger.js";
export { default as FinishCheckByOutputFileExistence } from "./modes/finish-check-by-output-file-existence.js";
export { default as HardShardModeV1 } from "./modes/hard-shard-mode-v1.js";
export { default as InputByExts } from "./modes/input-by-exts.js";
export { default as InputByGlob } from "./modes/input-by-glob.js";
export { default as InputByLines } from "./modes/input-by-lines.js";
export { default as InputBySubDirectory } from "./modes/input-by-sub-directory.js";
export { default as InputFromFileTripletJsonl } from "./modes/input-from-file-triplet-jsonl.js";
export { default as InputFromWhateverJsonl } from "./modes/input-from-whatever-jsonl.js";
export { default as NoHardShard } from "./modes/no-hard-shard.js";
export { default as OutputByApendingExt } from "./modes/output-by-apending-ext.js";
export { default as OutputByAppendingExt } from "./modes/output-by-appending-ext.js";
export { default as OutputByFilenameSubfoldering } from "./modes/output-by-filename-subfoldering.js";
export { default as OutputByReplacingExt } from "./modes/output-by-replacing-ext.js";
export { default as OutputByTemplate } from "./modes/output-by-template.js";
export { default as SoftShard } from "./modes/soft-shard.js";
export { moemoecueNormal, type NormalSpec } from "./moemoecue-normal.js";
