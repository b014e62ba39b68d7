import { KagurazakaError } from "../../../base/errors.js";
import type { Executor, ExecutorPorts } from "../../../contracts/executor.js";
import type { TaskInstance, TaskKind } from "../../../contracts/task.js";
import type { WorkerTask } from "../../program/worker-task.js";
import { ItemExecutor } from "./item-executor.js";

export type CreateExecutor = (task: WorkerTask, instance: TaskInstance, ports: ExecutorPorts) => Executor;

/** `program/executor-shape.ts` has how many items each executor takes. */
const executors: Partial<Record<TaskKind, CreateExecutor>> = {
  item: (task, instance, ports) => new ItemExecutor(task, instance, ports),
};

/** The executor for the task's kind. */
export const createExecutor: CreateExecutor = (task, instance, ports) => {
  const { kind } = ports.setup.task;
  const create = executors[kind];
  if (create) return create(task, instance, ports);
  throw new KagurazakaError("not-a-task", `this kagurazaka has no executor for tasks of kind "${kind}"`);
};
