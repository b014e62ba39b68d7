import type { OptionSpecs } from "../base/option-spec.js";
import type { Item } from "./item.js";

/**
 * A mode is a template's building block. Its definition is a plug-in (one file); what a task writes,
 * `InputByExts({ exts: [".txt"] })`, is plain data `{ use: "InputByExts", exts: [".txt"] }` that stays mergeable until the
 * task is resolved. Field names are declared in camelCase; YAML and flags may spell them in snake_case or kebab-case.
 */
export type ModeKind = "hard-shard" | "soft-shard" | "input" | "output" | "finish-check";

interface ModeBase<K extends ModeKind, F extends OptionSpecs> {
  readonly contract: 1;
  readonly kind: K;
  /** The name in `use`. */
  readonly name: string;
  readonly help: string;
  readonly fields: F;
}

/** Values of a mode's fields, parsed and with defaults. */
export type Fields = Readonly<Record<string, unknown>>;

/** A pair of directories: where inputs lie and where outputs go. `outputPath` null: no files are written. */
export interface Root {
  readonly inputPath: string;
  readonly outputPath: string | null;
}

export interface HardShardDefinition<F extends OptionSpecs = OptionSpecs> extends ModeBase<"hard-shard", F> {
  roots(fields: Fields): readonly Root[];
}

/** Indices out of a number of parts; a second level divides what the first selects, and so on. */
export type SoftPartition = readonly { readonly indices: readonly number[]; readonly of: number }[];

export interface SoftShardDefinition<F extends OptionSpecs = OptionSpecs> extends ModeBase<"soft-shard", F> {
  /** Whether the raw index of an item is in the selection. Throws on fields that make no sense. */
  selector(fields: Fields): (index: number) => boolean;
  /** Which part of the input this is, so that disjoint parts may run side by side. Empty: everything. */
  scope(fields: Fields): SoftPartition;
}

export interface ListEnv {
  /** Absolute input root. */
  readonly inputRoot: string;
  /** The number of the root, for triplets. */
  readonly root: number;
  /** Absolute directories to leave out (an output root inside the input root). */
  readonly leaveOut: readonly string[];
  readonly signal: AbortSignal;
  /** Shows a message about the listing, once for the run: what was passed over, what it waits for. */
  warn(message: string): void;
}

/**
 * `file`: items are `{ input: WireTriplet }`. `group`: `{ input: WireGroup }`, of which `process` sees `input_<id>` for
 * each file. `record`: any JSON-like record.
 */
export type Yields = "file" | "group" | "record";

export interface InputDefinition<F extends OptionSpecs = OptionSpecs> extends ModeBase<"input", F> {
  /** What its items are; a function where the fields decide. Read it with `yieldsOf`. */
  readonly yields: Yields | ((fields: Fields) => Yields);
  /** No key can come twice, so the plan need not look for repeats. */
  readonly uniqueKeys: boolean;
  /** It reads the input root itself, which must exist. */
  readonly readsInputRoot: boolean;
  /** Throws on fields that make no sense together. Called before anything is written. */
  check?(fields: Fields): void;
  /** Files it reads besides, which must exist. */
  files?(fields: Fields): readonly string[];
  /** The field of a record that is its key, if the mode names one. */
  keyField?(fields: Fields): string | undefined;
  /** Items in a stable order, in arrays of any size (a directory, a block of lines): memory stays bounded. */
  list(fields: Fields, env: ListEnv): Iterable<readonly Item[]> | AsyncIterable<readonly Item[]>;
}

/**
 * What an output mode may use to name outputs. For records `relDir` is `.` and `fileName` the key; for groups `fileName`
 * is the stem.
 */
export interface OutputNaming {
  readonly key: string;
  readonly relDir: string;
  readonly fileName: string;
  /** Of groups: their names have no extension, whatever dots are in them. */
  readonly stem?: string;
}

/** One declared output. `relPath` is POSIX, below the output root. */
export interface OutputEntry {
  /** The injected field: `output` or `output_<id>`. */
  readonly field: string;
  readonly relPath: string;
  readonly type: "file" | "directory";
}

export interface OutputDefinition<F extends OptionSpecs = OptionSpecs> extends ModeBase<"output", F> {
  /** Which inputs it can name outputs for; groups are named like files. */
  readonly accepts: "file" | "any";
  /** Different keys always give different paths. */
  readonly unique: boolean;
  /** A directory entry comes before the files inside it. */
  outputs(fields: Fields, name: OutputNaming): readonly OutputEntry[];
}

export type FinishRule =
  | { readonly by: "ledger" }
  /** Finished when all selected outputs exist, with at least `minBytes` each. The last one is published last. */
  | {
      readonly by: "files";
      select(outputs: readonly OutputEntry[]): readonly OutputEntry[];
      readonly minBytes: number;
      /** And when none of them is older than a file the item is made of. */
      readonly newerThanInput?: boolean;
    };

export interface FinishCheckDefinition<F extends OptionSpecs = OptionSpecs> extends ModeBase<"finish-check", F> {
  rule(fields: Fields): FinishRule;
}

export type ModeDefinition =
  | HardShardDefinition
  | SoftShardDefinition
  | InputDefinition
  | OutputDefinition
  | FinishCheckDefinition;

/** A mode as a task writes it. The definition rides along under a symbol, for modes no registry knows. */
export interface ModeData<K extends ModeKind = ModeKind> {
  readonly use: string;
  /** Only for the compiler: which kind of slot it fits. */
  readonly __kind?: K;
}

/** An input mode that injects `I` into every item. */
export interface InputModeData<I> extends ModeData<"input"> {
  readonly __injects?: (item: I) => void;
}

/** An output mode that injects `O` into every item. */
export interface OutputModeData<O> extends ModeData<"output"> {
  readonly __injects?: (item: O) => void;
}

/** A mode after resolution: definition found, fields parsed. */
export interface ResolvedMode<D extends ModeDefinition = ModeDefinition> {
  readonly definition: D;
  readonly fields: Fields;
}

export function yieldsOf({ definition, fields }: ResolvedMode<InputDefinition>): Yields {
  return typeof definition.yields === "function" ? definition.yields(fields) : definition.yields;
}

/** The modes of a template after resolution. All but the hard shard are optional. */
export interface ResolvedModes {
  readonly hardShardMode: ResolvedMode<HardShardDefinition>;
  readonly softShard: ResolvedMode<SoftShardDefinition> | null;
  readonly inputMode: ResolvedMode<InputDefinition> | null;
  readonly outputMode: ResolvedMode<OutputDefinition> | null;
  readonly finishCheckMode: ResolvedMode<FinishCheckDefinition> | null;
}

/** The fields of a template that hold modes, with the kind each accepts. */
export const templateModeFields = {
  hardShardMode: "hard-shard",
  softShard: "soft-shard",
  inputMode: "input",
  outputMode: "output",
  finishCheckMode: "finish-check",
} as const satisfies Record<keyof ResolvedModes, ModeKind>;
