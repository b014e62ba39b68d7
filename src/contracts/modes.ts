import type { OptionSpecs } from "../base/option-spec.js";
import type { Item } from "./item.js";

/**
 * A mode is a building block of a template. Its definition is a plug-in (one file). What a task writes,
 * `InputByExts({ exts: [".txt"] })`, is plain data `{ use: "InputByExts", exts: [".txt"] }`, which configuration can be merged
 * into. Fields are declared in camelCase; YAML and flags may spell them in snake_case or kebab-case.
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

/** A pair of input and output directory. `outputPath` null: no files are written. */
export interface Root {
  readonly inputPath: string;
  readonly outputPath: string | null;
}

export interface HardShardDefinition<F extends OptionSpecs = OptionSpecs> extends ModeBase<"hard-shard", F> {
  roots(fields: Fields): readonly Root[];
}

/** Some parts out of a number of parts; each further level divides the selection of the level before. */
export type SoftPartition = readonly { readonly indices: readonly number[]; readonly of: number }[];

export interface SoftShardDefinition<F extends OptionSpecs = OptionSpecs> extends ModeBase<"soft-shard", F> {
  /** Whether the raw index of an item is in the selection. Throws on fields that make no sense. */
  selector(fields: Fields): (index: number) => boolean;
  /** The selected parts, so that runs over disjoint parts may work at once. Empty: everything. */
  scope(fields: Fields): SoftPartition;
}

export interface ListEnv {
  /** Absolute input root. */
  readonly inputRoot: string;
  /** The index of the root, for triplets. */
  readonly root: number;
  /** Absolute directories to leave out (the output root, where it is inside the input root). */
  readonly leaveOut: readonly string[];
  readonly signal: AbortSignal;
  /** The same, as `walkFiles`, `walkDirectories` and `globFiles` take it: `walkFiles({ ...env.walk, hidden, match })`. */
  readonly walk: {
    readonly root: string;
    readonly leaveOut: readonly string[];
    readonly signal: AbortSignal;
    /** What the walk does not list; the run counts it and warns. */
    onPassedOver(relPath: string, why: string): void;
    /** A directory that cannot be listed: the run records it as failed, and the walk goes on. */
    onUnreadable(relDir: string, cause: unknown): void;
  };
  /** Whether this task's runs have made a file, by its path below the input root. Such items are left out in any case. */
  isOutput(relPath: string): boolean;
  /** A warning about the listing as a whole, e.g. how many lines were skipped. */
  warn(message: string): void;
}

/**
 * `file`: items are `{ input: WireTriplet }`. `group`: `{ input: WireGroup }`; `process` gets `input_<id>` for each file.
 * `record`: any JSON-like record.
 */
export type Yields = "file" | "group" | "record";

export interface InputDefinition<F extends OptionSpecs = OptionSpecs> extends ModeBase<"input", F> {
  /** The type of the items; a function where it depends on fields. Read it with `yieldsOf`. */
  readonly yields: Yields | ((fields: Fields) => Yields);
  /** No key can repeat, so the run need not remember keys. */
  readonly uniqueKeys: boolean;
  /** The mode lists the input root, which has to exist. */
  readonly readsInputRoot: boolean;
  /** Throws on fields that make no sense together. Called before anything is written. */
  check?(fields: Fields): void | Promise<void>;
  /** Files that the mode reads, outside the input root. They have to exist. */
  files?(fields: Fields): readonly string[];
  /** The field of a record that holds its key, if any. */
  keyField?(fields: Fields): string | undefined;
  /** Lists the items in a stable order, in arrays of any size (a directory, a block of lines), with bounded memory. */
  list(fields: Fields, env: ListEnv): Iterable<readonly Item[]> | AsyncIterable<readonly Item[]>;
}

/** The input of an output mode. For records, `relDir` is `.` and `fileName` the key; for groups, `fileName` is the stem. */
export interface OutputNaming {
  readonly key: string;
  readonly relDir: string;
  readonly fileName: string;
  /** Only for groups. A stem has no extension, even if it contains dots. */
  readonly stem?: string;
  /** Only for records. */
  readonly record?: Item;
}

/** One declared output. `relPath` is POSIX, below the output root. */
export interface OutputEntry {
  /** The field that `process` gets: `output` or `output_<id>`. */
  readonly field: string;
  readonly relPath: string;
  readonly type: "file" | "directory";
}

export interface OutputDefinition<F extends OptionSpecs = OptionSpecs> extends ModeBase<"output", F> {
  /** The inputs that the mode accepts. `file` includes groups. */
  readonly accepts: "file" | "any";
  /** Different keys always have different paths, so the run need not remember paths. */
  readonly unique: boolean;
  /** The declared outputs of an item. A directory comes before the files inside it. */
  outputs(fields: Fields, name: OutputNaming): readonly OutputEntry[];
}

export type FinishRule =
  | { readonly by: "ledger" }
  /** Finished when all selected outputs exist, with at least `minBytes` each. The last one is published last. */
  | {
      readonly by: "files";
      select(outputs: readonly OutputEntry[]): readonly OutputEntry[];
      readonly minBytes: number;
      /** In addition, no output may be older than an input file of the item. */
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

/** A mode as a task writes it. The definition is attached under a symbol, for modes that are not built in. */
export interface ModeData<K extends ModeKind = ModeKind> {
  readonly use: string;
  /** For the type checker only. */
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

/** A mode with its definition, and its fields parsed. */
export interface ResolvedMode<D extends ModeDefinition = ModeDefinition> {
  readonly definition: D;
  readonly fields: Fields;
}

export function yieldsOf({ definition, fields }: ResolvedMode<InputDefinition>): Yields {
  return typeof definition.yields === "function" ? definition.yields(fields) : definition.yields;
}

/** The modes of a template. All are optional, except the roots. */
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
