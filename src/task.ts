import type { OptionSpecs, OptionValues } from "./base/option-spec.js";
import type { Item } from "./contracts/item.js";
import type { Generated, RunPlan, RunStats, TaskContext } from "./contracts/task.js";

/**
 * What every task extends. `I` is the item as `process` reads it; `S` the specs of `static options`, where there are any:
 *
 * ```ts
 * const options = defineOptions({ language: { type: "string", default: "en", help: "language of the texts" } });
 *
 * export class Translate extends KagurazakaTask<{ id: number; text: string }, typeof options> {
 *   static options = options;
 *   *generateTasks() { yield { id: 1, text: "hello" }; }
 *   async process({ text }: { id: number; text: string }) { return translate(text, this.options.language); }
 * }
 * ```
 *
 * `static defaults = { num_process: 1, concurrency: 16, timeout: "10m" }` says which flags fit the task: the run's own and
 * the backbone's, in any spelling. They stand above the built-in defaults and below everything a user says.
 *
 * `static help` is shown by `-h`, above the options.
 *
 * One instance lives in the coordinator (it lists, names and finishes; no `setup`), one in each worker (it checks and
 * processes). They share nothing: state kept on `this` stays where it was set.
 */
// biome-ignore lint/complexity/noBannedTypes: {} is "no options", which is what a task without them has.
export abstract class KagurazakaTask<I = Item, S extends OptionSpecs = {}> {
  /** Values of `static options`. Set after construction: read it in methods, not in field initialisers. */
  declare options: OptionValues<S>;
  /** Flags and words nobody declares, with `static rawArgs = true`; what stands behind `--`. */
  rawArgs: readonly string[] = [];

  /** Does the work for one item. What it returns goes to whoever asked for values; files go to `item.output.path`. */
  abstract process(item: I, ctx: TaskContext): unknown;

  /** Lists the items, in the coordinator; lazily, when it yields. An input mode supplies it. */
  generateTasks?(): Generated<unknown>;
  /** Whether an item is finished, asked in the worker. Without it the finish check decides, else the ledger. */
  isExecuted?(item: I, ctx: TaskContext): boolean | Promise<boolean>;
  /** A stable name for an item, e.g. its id; without it a hash of the whole item. Asked in the coordinator. */
  keyOf?(item: I): string;
  /** Looks at what `process` wrote before it is published; throws when it is no good. */
  verify?(item: I, ctx: TaskContext): unknown;
  /**
   * Looks at options and modes together, in the coordinator, before anything is written. What it throws is the user's
   * mistake (exit 2); a property `hint` of the error says what to do about it.
   */
  check?(plan: RunPlan): unknown;
  /** Once per worker, before its first item: load the model, open the connection. A failure stops the run. */
  setup?(): unknown;
  /** Once per worker, after its last item. */
  teardown?(): unknown;
  /** Once per run, in the coordinator, after the last outcome. */
  finalize?(stats: RunStats): unknown;
}

/**
 * Stands for a value of a template that configuration has to fill in (`--mixin hard_shard_mode.input_path=…`); `???` in
 * YAML. A run with one left over stops before it starts and lists all of them. Typed `never`, so that it fits anywhere.
 */
export const KAGURAZAKA_MIXIN_PLACEHOLDER = "???" as never;
