/**
 * The words of this house, each meaning one thing everywhere (code, flags, logs, files):
 *
 * - **task**: the user's class: which items there are, which are finished, how to process one.
 * - **item**: one input, a JSON-like record; **key**: the stable text that names it, never its position.
 * - **attempt**: one try at one item.
 * - **outcome** of an item: `done`, `skipped` (finished before), `filtered` (nothing to do, with a reason), `failed`, `cancelled`.
 * - **backbone**: where items are executed and how many at once. **worker**: a thread, process or node that executes for it;
 *   **slot**: one item's place in a worker.
 * - **chunk**: items that travel together; transport only, no unit of work, no barrier.
 * - **executor**: what turns items into outcomes inside a worker: item executor or batch executor. Belongs to the task's kind.
 * - **shard**: a part of the input: *hard* = its own directories, *soft* = by index or key.
 * - **mode**: a template's building block: how inputs are found, outputs named, completion judged.
 * - **sink**: where results go that are not one file per item; **part**: a finished file of a sink.
 * - **mixin**: configuration merged over a template's values.
 * - **ledger**: append-only record of outcomes; **run**: one invocation; **epoch**: one full (re)doing, opened by `--force`.
 */
export type * from "./activity.js";
export type * from "./backbone.js";
export type * from "./chunk.js";
export type * from "./execution.js";
export type * from "./executor.js";
export type * from "./fleet.js";
export type * from "./item.js";
export type * from "./modes.js";
export type * from "./outcome.js";
export type * from "./partition.js";
export type * from "./run-config.js";
export type * from "./run-hooks.js";
export type * from "./sink.js";
export type * from "./task.js";
export type * from "./wire.js";
