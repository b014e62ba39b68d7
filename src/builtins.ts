import type { BackboneDefinition } from "./contracts/backbone.js";
import type { ModeData, ModeDefinition } from "./contracts/modes.js";

/** What has a name of its own in flags and configuration. One line per plug-in; each file's default export is the plug-in. */

type Shelf<T> = Readonly<Record<string, () => Promise<{ readonly default: T }>>>;
// biome-ignore lint/suspicious/noExplicitAny: a shelf holds factories of all kinds of fields.
type AnyMode = { (...fields: any): ModeData; readonly definition: ModeDefinition };

const backbones: Shelf<BackboneDefinition> = {
  inline: () => import("../backbones/inline.js"),
  mp: () => import("../backbones/mp.js"),
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
};

/** Which backbone `auto` is, by the task's kind. */
const autoBackbones: Readonly<Record<"item" | "batch", string>> = { item: "mp", batch: "onnx_single" };

/** Names of other tools for backbones of ours. */
const backboneAliases: Readonly<Record<string, string>> = { torch_vanilla_single: "onnx_single" };

/** The name on the shelf for what was asked for. */
export function backboneName(asked: string, kind: "item" | "batch"): string {
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

/** Loads a plug-in by its name; undefined when the shelf has none of that name. */
export async function loadBuiltin<S extends ShelfName>(shelf: S, name: string): Promise<On<S> | undefined> {
  // Own names only: `toString` is not a mode.
  if (!Object.hasOwn(builtins[shelf], name)) return undefined;
  const { default: plugIn } = await builtins[shelf][name]!();
  return plugIn as On<S>;
}

/** URL of a ready-made task's module, to be loaded like a user's; its export is `default`. Undefined for an unknown name. */
export function builtinTaskEntry(name: string): string | undefined {
  return Object.hasOwn(tasks, name) ? new URL(`../tasks/${name}.js`, import.meta.url).href : undefined;
}
