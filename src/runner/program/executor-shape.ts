import { KagurazakaError } from "../../base/errors.js";
import type { RunSettings } from "../../contracts/run-config.js";
import type { TaskKind } from "../../contracts/task.js";
import type { ExecutorShape } from "../../contracts/wire.js";

type Settings = Pick<RunSettings, "concurrency">;

/** By kind of task: the shape of each worker's executor. The executors are in `worker/executors`. */
const shapes: Partial<Record<TaskKind, (settings: Settings, workers: number) => ExecutorShape[]>> = {
  item: ({ concurrency }, workers) => shares(concurrency ?? workers, workers).map((slots) => ({ slots, queue: 0 })),
};

/**
 * The shapes of the workers of one process.
 * @param workers at most so many; fewer when fewer items may run at once
 */
export function shapesOf(kind: TaskKind, settings: Settings, workers: number): ExecutorShape[] {
  const shape = shapes[kind];
  if (shape) return shape(settings, workers);
  throw new KagurazakaError("not-a-task", `this kagurazaka has no executor for tasks of kind "${kind}"`);
}

/** Spreads a number evenly over at most `parts` parts, none of them 0. */
function shares(total: number, parts: number): number[] {
  const count = Math.min(total, parts);
  return Array.from({ length: count }, (_, i) => Math.floor(total / count) + (i < total % count ? 1 : 0));
}
