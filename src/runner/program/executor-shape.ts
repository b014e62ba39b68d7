import { KagurazakaError } from "../../base/errors.js";
import type { RunSettings } from "../../contracts/run-config.js";
import type { TaskKind } from "../../contracts/task.js";
import type { ExecutorShape } from "../../contracts/wire.js";

type Settings = Pick<RunSettings, "concurrency">;

/** The shape of the executor of each kind of task. The executors are in `worker/executors`. */
const shapes: Partial<Record<TaskKind, (settings: Settings) => ExecutorShape>> = {
  item: ({ concurrency }) => ({ slots: concurrency, queue: 0 }),
};

export function shapeOf(kind: TaskKind, settings: Settings): ExecutorShape {
  const shape = shapes[kind];
  if (shape) return shape(settings);
  throw new KagurazakaError("not-a-task", `this kagurazaka has no executor for tasks of kind "${kind}"`);
}
