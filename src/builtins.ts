import type { BackboneDefinition } from "./contracts/backbone.js";
import type { ModeData, ModeDefinition } from "./contracts/modes.js";
import type { TaskKind } from "./contracts/task.js";

/** The plug-ins that flags and configuration know by name, one per line. The default export of each file is the plug-in. */

type Shelf<T> = Readonly<Record<string, () => Promise<{ readonly default: T }>>>;
// biome-ignore lint/suspicious/noExplicitAny: a shelf holds factories of all kinds of fields.
type AnyMode = { (...fields: any): ModeData; readonly definition: ModeDefinition };

const backbones: Shelf<BackboneDefinition> = {
  inline: () => import("../backbones/inline.js"),
  mp: () => import("../backbones/mp.js"),
  bullmq: () => import("../backbones/bullmq.js"),
};

const modes: Shelf<AnyMode> = {
  NoHardShard: () => import("../templates/modes/no-hard-shard.js"),
  HardShardModeV1: () => import("../templates/modes/hard-shard-mode-v1.js"),
  SoftShard: () => import("../templates/modes/soft-shard.js"),
  InputByExts: () => import("../templates/modes/input-by-exts.js"),
  InputByGlob: () => import("../templates/modes/input-by-glob.js"),
  InputByGroups: () => import("../templates/modes/input-by-groups.js"),
  InputByLines: () => import("../templates/modes/input-by-lines.js"),
  InputBySubDirectory: () => import("../templates/modes/input-by-sub-directory.js"),
  InputFromCsv: () => import("../templates/modes/input-from-csv.js"),
  InputFromFileTripletJsonl: () => import("../templates/modes/input-from-file-triplet-jsonl.js"),
  InputFromWhateverJsonl: () => import("../templates/modes/input-from-whatever-jsonl.js"),
  OutputByApendingExt: () => import("../templates/modes/output-by-apending-ext.js"),
  OutputByAppendingExt: () => import("../templates/modes/output-by-appending-ext.js"),
  OutputByReplacingExt: () => import("../templates/modes/output-by-replacing-ext.js"),
  OutputByTemplate: () => import("../templates/modes/output-by-template.js"),
  OutputByFilenameSubfoldering: () => import("../templates/modes/output-by-filename-subfoldering.js"),
  FinishCheckByOutputFileExistence: () => import("../templates/modes/finish-check-by-output-file-existence.js"),
  FinishCheckByLedger: () => import("../templates/modes/finish-check-by-ledger.js"),
};

const tasks: Shelf<new () => object> = {
  "word-count": () => import("../tasks/word-count.js"),
  checksum: () => import("../tasks/checksum.js"),
  compress: () => import("../tasks/compress.js"),
  exec: () => import("../tasks/exec.js"),
  fetch: () => import("../tasks/fetch.js"),
  map: () => import("../tasks/map.js"),
};

/** What `--backbone auto` means, by the task's kind. */
const autoBackbones: Readonly<Record<TaskKind, string>> = { item: "mp", batch: "onnx_single" };

/** Names that the Python tool has for these backbones. */
const backboneAliases: Readonly<Record<string, string>> = { torch_vanilla_single: "onnx_single" };

/** Resolves `auto` and aliases. */
export function backboneName(asked: string, kind: TaskKind): string {
  if (asked === "auto") return autoBackbones[kind];
  return Object.hasOwn(backboneAliases, asked) ? backboneAliases[asked]! : asked;
}

export const builtins = { backbones, modes, tasks } as const;

type ShelfName = keyof typeof builtins;
type On<S extends ShelfName> = (typeof builtins)[S] extends Shelf<infer T> ? T : never;

/** The names on a shelf, in the order of the table. */
export function builtinNames(shelf: ShelfName): string[] {
  return Object.keys(builtins[shelf]);
}

/** Loads a plug-in by its name; undefined where there is none. */
export async function loadBuiltin<S extends ShelfName>(shelf: S, name: string): Promise<On<S> | undefined> {
  // Not `in`: objects inherit names such as `toString`.
  if (!Object.hasOwn(builtins[shelf], name)) return undefined;
  const { default: plugIn } = await builtins[shelf][name]!();
  return plugIn as On<S>;
}

/** URL of the module of a ready-made task, whose default export is loaded like a user's task. Undefined for an unknown name. */
export function builtinTaskEntry(name: string): string | undefined {
  return Object.hasOwn(tasks, name) ? new URL(`../tasks/${name}.js`, import.meta.url).href : undefined;
}
