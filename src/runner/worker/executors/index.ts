import type { Executor, ExecutorPorts } from "../../../contracts/executor.js";
import type { TaskInstance } from "../../../contracts/task.js";
import type { WorkerTask } from "../../program/worker-task.js";
import { ItemExecutor } from "./item-executor.js";

export type CreateExecutor = (task: WorkerTask, instance: TaskInstance, ports: ExecutorPorts) => Executor;

export const createItemExecutor: CreateExecutor = (task, instance, ports) => new ItemExecutor(task, instance, ports);
