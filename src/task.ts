import type { OptionSpecs, OptionValues } from "./base/option-spec.js";
import type { Item } from "./contracts/item.js";
import type { Generated, RunPlan, RunStats, TaskContext } from "./contracts/task.js";

/**
 * The base class of tasks. `I` is the item as `process` gets it, `S` the type of `static options`, if any:
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
 * `static defaults = { num_process: 1, concurrency: 16, timeout: "10m" }` sets defaults of the run's and the backbone's flags,
 * in any spelling. They override the built-in defaults; configuration and flags override them.
 *
 * `static help` is shown by `-h`, above the options.
 *
 * The coordinator has one instance, which lists, names and finalizes (`setup` is not called); each worker has another, which
 * checks and processes. They share nothing: state on `this` stays in its thread or process.
 */
// biome-ignore lint/complexity/noBannedTypes: {} is "no options", which is what a task without them has.
export abstract class KagurazakaTask<I = Item, S extends OptionSpecs = {}> {
  /** Values of `static options`. Set after construction: read it in methods, not in field initialisers. */
  declare options: OptionValues<S>;
  /** With `static rawArgs = true`: unknown flags and words, and everything after `--`. */
  rawArgs: readonly string[] = [];

  /** Processes one item. Files are written to `item.output.path`; the return value is passed to the hook `onOutcome`. */
  abstract process(item: I, ctx: TaskContext): unknown;

  /** Lists the items, lazily when it yields. Called in the coordinator. Not needed with an input mode. */
  generateTasks?(): Generated<unknown>;
  /** Whether an item is finished. Called in the worker. Without it the finish check decides, else the ledger. */
  isExecuted?(item: I, ctx: TaskContext): boolean | Promise<boolean>;
  /** A stable key of an item, e.g. its id. Called in the coordinator. Default: a hash of the whole item. */
  keyOf?(item: I): string;
  /** Checks what `process` wrote before it is published; throws where it is wrong. */
  verify?(item: I, ctx: TaskContext): unknown;
  /**
   * Checks options and modes together, in the coordinator, before anything is written. An error that it throws is reported as
   * a mistake of the user (exit 2), with the error's `hint`.
   */
  check?(plan: RunPlan): unknown;
  /** Called once per worker, before its first item: load the model, open the connection. An error stops the run. */
  setup?(): unknown;
  /** Called once per worker, after its last item. */
  teardown?(): unknown;
  /**
   * How much an item will add to the count named by `static progressBy`: its bytes, for one. Called in the coordinator.
   * Progress and ETA then go by size, not by the number of items.
   */
  sizeOf?(item: I): number;
  /** Called once per run, in the coordinator, before the first item is listed; not in a dry run. */
  begin?(): unknown;
  /** Called once per run, in the coordinator, after the last outcome. */
  finalize?(stats: RunStats): unknown;
}

/**
 * A value of a template that configuration has to set (`--mixin hard_shard_mode.input_path=…`); `???` in YAML. A run lists
 * all that are left and does not start. Its type is `never`, which fits every field.
 */
export const KAGURAZAKA_MIXIN_PLACEHOLDER = "???" as never;
