import type { ChildProcess, SpawnOptions } from "node:child_process";
import type { OptionSpecs } from "../base/option-spec.js";
import type { Json } from "./item.js";
import type { Yields } from "./modes.js";
import type { OutcomeCounts } from "./outcome.js";

/** What `process` gets besides its item. Made once per attempt. */
export interface TaskContext {
  /** The item's key. */
  readonly key: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** The run's id. */
  readonly run: string;
  /** Aborts on timeout and on cancellation. */
  readonly signal: AbortSignal;
  readonly log: TaskLog;
  /** Numbers in [0, 1), the same for the same run seed and key, whatever ran before. */
  random(): number;
  /** An empty directory of this attempt alone; gone when it ends. */
  readonly tmpDir: string;
  /**
   * A directory of this item that outlives a failed attempt, a crash and a kill of the whole run; removed once the item is
   * done or filtered. On the output's file system, where there is an output root. Made when it is first asked for: what an
   * earlier run left there stays when the item is done without asking.
   */
  readonly keptDir: string;
  /** Whether an earlier attempt has kept something: a look, where `keptDir` would make a directory. */
  readonly hasKept: boolean;
  /** "Still alive": resets the clocks of `--stall` (not of `--timeout`). */
  progress(): void;
  /** There is nothing to do for this item, and why: `return ctx.filtered("empty file")`. Counts as finished. */
  filtered(reason: string): Filtered;
  /**
   * A child process in a process group of its own; the whole group dies with the item. Its environment also has
   * `KAGURAZAKA_RUN`, `KAGURAZAKA_KEY` and `KAGURAZAKA_ATTEMPT`.
   */
  spawn(command: string, args?: readonly string[], options?: SpawnOptions): ChildProcess;
  /**
   * Runs a program to its end, as `spawn` would, its streams in files: the cheap way to run many short ones. A small process
   * starts them for us, for what a start costs grows with the memory of who starts. When the signal aborts, its process group
   * is sent SIGTERM and later SIGKILL. Rejects where the program cannot be started, with the system's code: `ENOENT`.
   */
  runProgram(command: string, args?: readonly string[], options?: ProgramOptions): Promise<ProgramEnd>;
}

export interface ProgramOptions {
  readonly cwd?: string | undefined;
  /** Besides the worker's own, as it was when its first program was run. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: nothing to read. */
  readonly stdin?: "none" | { readonly path: string } | { readonly text: string };
  /** Default: captured. A file is made, or emptied. */
  readonly stdout?: "none" | "capture" | { readonly path: string };
  readonly stderr?: "none" | "capture";
  /** How much of the end of what was captured is kept, in bytes of each stream. Default: 65536. */
  readonly keepBytes?: number;
  /** From SIGTERM to SIGKILL, in milliseconds. Default: 1000. */
  readonly killAfterMs?: number;
}

/** How a program ended, and what it said. */
export interface ProgramEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Captured;
  readonly stderr: Captured;
}

/** The end of what was printed, and how many bytes came before it. */
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
/** The answer "nothing to do". Only `ctx.filtered` makes one. */
export interface Filtered {
  readonly [filteredBrand]?: true;
  readonly reason: string;
}

export type Generated<I> = Iterable<I> | AsyncIterable<I> | Promise<Iterable<I> | AsyncIterable<I>>;

/** What a run is going to be, told to `check` before anything is written. */
export interface RunPlan {
  /** The input mode, and whether its items are files, groups of files or records; null where `generateTasks` lists them. */
  readonly inputMode: { readonly name: string; readonly yields: Yields } | null;
  /** What every item is to write, by the field it is given in: `output`, `output_meta`. */
  readonly outputs: readonly { readonly field: string; readonly type: "file" | "directory" }[];
}

/** What the runner may call on a task's instance; everything but `process` is optional. */
export interface TaskInstance {
  options: Readonly<Record<string, unknown>>;
  generateTasks?(): Generated<unknown>;
  isExecuted?(item: unknown, ctx: TaskContext): boolean | Promise<boolean>;
  keyOf?(item: unknown): string;
  process(item: unknown, ctx: TaskContext): unknown;
  /** Looks at what `process` wrote, before it is published; throws when it is no good. */
  verify?(item: unknown, ctx: TaskContext): unknown;
  setup?(): unknown;
  teardown?(): unknown;
  finalize?(stats: RunStats): unknown;
  /** Throws where options, words and modes make no sense together; in the coordinator, before anything is written. */
  check?(plan: RunPlan): unknown;
}

export interface TaskClass {
  new (): TaskInstance;
  readonly name: string;
  /** Names the task in ledgers; default: the export's name. */
  readonly id?: string;
  /**
   * A task that is a different one with other options says so: its id for these. Ledgers under different ids know nothing
   * of one another. Letters, digits, `.`, `_` and `-` only.
   */
  readonly idFor?: (options: TaskOptions) => string;
  /** What it does and how it is called, for `-h`. */
  readonly help?: string;
  /** The author's own version; a change is reported when old results are kept. */
  readonly version?: string | number;
  readonly options?: OptionSpecs;
  /**
   * What the author thinks fits: values of the run's settings and of backbones' flags, `{ num_process: 1, timeout: "10m" }`.
   * Configuration and flags win over them.
   */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Unknown flags and words go to `this.rawArgs`. */
  readonly rawArgs?: boolean;
  /** Errors not worth a retry: part of the message or code, or a pattern. */
  readonly permanentErrors?: readonly (string | RegExp)[];
}

/** What a user said of a task: values of `static options`, the template's values, and words for a task that reads them raw. */
export interface TaskOptions {
  readonly task: Readonly<Record<string, Json | undefined>>;
  /** Field → `{ use, …fields }` or null, for a templated task. */
  readonly template: Readonly<Record<string, Json>> | null;
  readonly rawArgs: readonly string[];
}

/** Which module and export a task is. Each side of a border knows for itself where that module lies. */
export type TaskSource = { readonly builtin: string } | { readonly alias: string; readonly export: string };

/** A task as it crosses a border: never a closure, never code, never a path. */
export interface TaskRef {
  readonly source: TaskSource;
  readonly id: string;
  readonly options: Pick<TaskOptions, "task" | "rawArgs">;
  /** What a worker needs of the template; null for a task without one. */
  readonly template: {
    readonly yields: Yields;
    readonly readsInputRoot: boolean;
    /** `{ use, …fields }`. */
    readonly outputMode: Json;
    readonly finishCheckMode: Json;
  } | null;
  /** Identity of the code: relative paths and bytes of local files, versions of direct dependencies. */
  readonly moduleHash: string;
}

/** What `finalize` gets, and what `stats.json` holds. */
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
}
