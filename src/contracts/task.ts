import type { ChildProcess, SpawnOptions } from "node:child_process";
import type { OptionSpecs } from "../base/option-spec.js";
import type { Json } from "./item.js";
import type { Yields } from "./modes.js";
import type { OutcomeCounts } from "./outcome.js";

/** The second argument of `process`. Made once per attempt. */
export interface TaskContext {
  /** The item's key. */
  readonly key: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** The run's id. */
  readonly run: string;
  /** Aborts on timeout and on cancellation. */
  readonly signal: AbortSignal;
  readonly log: TaskLog;
  /** Random numbers in [0, 1), determined by the run's seed and the item's key. */
  random(): number;
  /** An empty directory of this attempt, removed at its end. */
  readonly tmpDir: string;
  /**
   * A directory of this item that outlives a failed attempt, a crash and a kill of the whole run; removed once the item is
   * done or filtered. On the output's file system, where there is an output root. Made at the first access; without an access,
   * a directory of an earlier run is not removed.
   */
  readonly keptDir: string;
  /** Whether an earlier attempt has made `keptDir`. Does not make it. */
  readonly hasKept: boolean;
  /** Reports that the item is alive: resets the clock of `--stall` (not of `--timeout`). */
  progress(): void;
  /**
   * Adds to a count of the run, such as `rows_in` or `bytes_in`, which its report shows with a rate. Counts of attempts that fail
   * are dropped.
   */
  count(name: string, amount?: number): void;
  /** There is nothing to do for this item: `return ctx.filtered("empty file")`. The item counts as finished. */
  filtered(reason: string): Filtered;
  /**
   * Starts a child process in a process group of its own, which is killed when the item ends. Its environment has
   * `KAGURAZAKA_RUN`, `KAGURAZAKA_KEY` and `KAGURAZAKA_ATTEMPT` in addition.
   */
  spawn(command: string, args?: readonly string[], options?: SpawnOptions): ChildProcess;
  /**
   * Runs a program to its end, with its streams in files: cheaper than `spawn` for many short programs, because a small helper
   * process starts them (the cost of a fork grows with the memory of the parent). When the signal aborts, the process group
   * gets SIGTERM and later SIGKILL. Rejects where the program cannot be started, with the system's code: `ENOENT`.
   */
  runProgram(command: string, args?: readonly string[], options?: ProgramOptions): Promise<ProgramEnd>;
}

export interface ProgramOptions {
  readonly cwd?: string | undefined;
  /** Added to the worker's environment, as that was when the first program was run. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly stdin?: "none" | { readonly path: string } | { readonly text: string };
  /** Default: capture. A file is made or truncated. */
  readonly stdout?: "none" | "capture" | { readonly path: string };
  readonly stderr?: "none" | "capture";
  /** How many bytes are kept of the end of each captured stream. Default: 65536. */
  readonly keepBytes?: number;
  /** From SIGTERM to SIGKILL, in milliseconds. Default: 1000. */
  readonly killAfterMs?: number;
}

/** How a program ended, with its output. */
export interface ProgramEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Captured;
  readonly stderr: Captured;
}

/** The end of a captured stream, and the number of bytes before it. */
export interface Captured {
  readonly text: string;
  readonly leftOut: number;
}

export interface TaskLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

declare const filteredBrand: unique symbol;
/** The return value of `ctx.filtered`. */
export interface Filtered {
  readonly [filteredBrand]?: true;
  readonly reason: string;
}

export type Generated<I> = Iterable<I> | AsyncIterable<I> | Promise<Iterable<I> | AsyncIterable<I>>;

/** The argument of `check`. */
export interface RunPlan {
  /** Null where `generateTasks` lists the items. */
  readonly inputMode: { readonly name: string; readonly yields: Yields } | null;
  /** The output root of the first hard shard; null where no files are written. Absolute. */
  readonly outputRoot: string | null;
  /** Something that a person should know of the plan; printed before the run. */
  note(message: string): void;
  /** A node of a fleet checks too, and lists nothing. */
  readonly side: "coordinator" | "node";
  /** The outputs of every item, by field: `output`, `output_meta`. */
  readonly outputs: readonly { readonly field: string; readonly type: "file" | "directory" }[];
}

/** An export of a user's module that a ready-made task works with. */
export interface ModuleExport {
  /** As it was named: `clean.ts#clean`. */
  readonly name: string;
  readonly value: unknown;
}

/** A task's instance, as the runner calls it. See `KagurazakaTask` in `task.ts`. */
export interface TaskInstance {
  options: Readonly<Record<string, unknown>>;
  /** For a task with `static argument`. */
  module?: ModuleExport;
  generateTasks?(): Generated<unknown>;
  isExecuted?(item: unknown, ctx: TaskContext): boolean | Promise<boolean>;
  keyOf?(item: unknown): string;
  process(item: unknown, ctx: TaskContext): unknown;
  verify?(item: unknown, ctx: TaskContext): unknown;
  setup?(): unknown;
  teardown?(): unknown;
  begin?(): unknown;
  finalize?(stats: RunStats): unknown;
  check?(plan: RunPlan): unknown;
  sizeOf?(item: unknown): number;
}

export interface TaskClass {
  new (): TaskInstance;
  readonly name: string;
  /** The name of the task's state directory. Default: the name of the export. */
  readonly id?: string;
  /** An id that depends on options: with another id, the task has another ledger. Only letters, digits, `.`, `_` and `-`. */
  readonly idFor?: (options: TaskOptions) => string;
  /** Shown by `-h`. */
  readonly help?: string;
  /** The author's version. When it changes, the user is told that old results are kept. */
  readonly version?: string | number;
  readonly options?: OptionSpecs;
  /** Defaults of the run's settings and of backbones' flags: `{ num_process: 1, timeout: "10m" }`. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Unknown flags and words go to `this.rawArgs`. */
  readonly rawArgs?: boolean;
  /** Errors not worth a retry: part of the message or code, or a pattern. */
  readonly permanentErrors?: readonly (string | RegExp)[];
  /**
   * For ready-made tasks: the word behind the name is an export of a user's module, `@map clean.ts#clean`. Each machine loads it
   * itself, and its code counts as the task's.
   */
  readonly argument?: { readonly placeholder: string; readonly help: string };
  /** Which count of `ctx.count` says how far a run is. Each item counts what `sizeOf` says of it: progress and ETA go by that. */
  readonly progressBy?: string;
}

/** The configuration of a task: values of `static options`, values of the template, and raw words. */
export interface TaskOptions {
  readonly task: Readonly<Record<string, Json | undefined>>;
  /** Field → `{ use, …fields }` or null, for a templated task. */
  readonly template: Readonly<Record<string, Json>> | null;
  readonly rawArgs: readonly string[];
}

/** Whether a call of `process` gets an item or a batch of items. The kind decides the executor. */
export type TaskKind = "item" | "batch";

/** The module and export of a task. Each machine knows the path of the module by itself. */
export type TaskSource =
  | {
      readonly builtin: string;
      /** Export of the module that is the task's argument. */
      readonly argument?: string;
    }
  | { readonly alias: string; readonly export: string };

/** A task as it is sent to workers: without code, closures and paths. */
export interface TaskRef {
  readonly source: TaskSource;
  readonly id: string;
  readonly kind: TaskKind;
  readonly options: Pick<TaskOptions, "task" | "rawArgs">;
  /** The part of the template that workers need; null for a task without a template. */
  readonly template: {
    readonly yields: Yields;
    readonly readsInputRoot: boolean;
    /** `{ use, …fields }`. */
    readonly outputMode: Json;
    readonly finishCheckMode: Json;
  } | null;
  /** Hash of the code: relative paths and bytes of local files, versions of direct dependencies. */
  readonly moduleHash: string;
}

/** The argument of `finalize`, and the content of stats.json. */
export interface RunStats {
  readonly run: string;
  readonly task: string;
  readonly counts: OutcomeCounts;
  /** Attempts beyond the first. */
  readonly retries: number;
  readonly elapsedMs: number;
  readonly itemsPerSecond: number;
  /** Time inside `process`, in milliseconds, over items that ran. */
  readonly durationMs: { readonly p50: number; readonly p95: number; readonly max: number };
  /** Share of slot time spent inside `process`, 0 to 1. */
  readonly utilisation: number;
  readonly failures: readonly { readonly class: string; readonly count: number }[];
  readonly slowest: readonly { readonly key: string; readonly durationMs: number }[];
  /** What items have counted with `ctx.count` in this run, by name. */
  readonly amounts: Readonly<Record<string, number>>;
}
