import { KagurazakaError } from "../../base/errors.js";
import { loadBuiltin } from "../../builtins.js";
import { modeDefinitionOf } from "../../contracts/define.js";
import type { Fields, ModeDefinition, ResolvedMode } from "../../contracts/modes.js";
import type { ModuleExport, TaskClass, TaskInstance, TaskOptions } from "../../contracts/task.js";
import { exportsOf } from "../../loader/exports.js";
import { templateOf } from "../../loader/import-task.js";

export async function importTaskClass(url: string, exportName: string): Promise<TaskClass> {
  const taskClass = exportsOf((await import(url)) as object).get(exportName) as TaskClass | undefined;
  if (typeof taskClass === "function") return taskClass;
  throw new KagurazakaError("task-not-found", `${url} has no export ${exportName}`);
}

/** The export that is a task's argument. */
export async function importArgument(
  url: string | undefined,
  name: string | undefined,
): Promise<ModuleExport | undefined> {
  if (url === undefined || name === undefined) return undefined;
  const value = exportsOf((await import(url)) as object).get(name);
  return { name, value };
}

export function instantiate(
  taskClass: TaskClass,
  { task, rawArgs }: Pick<TaskOptions, "task" | "rawArgs">,
  module?: ModuleExport,
): TaskInstance {
  const instance = new taskClass();
  if (module) Object.defineProperty(instance, "module", { value: module, enumerable: false });
  instance.options = Object.freeze({ ...task });
  Object.defineProperty(instance, "rawArgs", { value: Object.freeze([...rawArgs]), enumerable: false });
  return instance;
}

/** The mode in a field of the task's template. A mode of the task's own is taken from the class, all others by name. */
export async function resolveMode<D extends ModeDefinition>(
  taskClass: TaskClass,
  field: string,
  data: ({ use: string } & Fields) | null | undefined,
): Promise<ResolvedMode<D> | null> {
  if (!data) return null;
  const { use, ...fields } = data;
  const written = modeDefinitionOf(templateOf(taskClass)?.spec[field]);
  const definition = written?.name === use ? written : (await loadBuiltin("modes", use))?.definition;
  if (!definition) throw new KagurazakaError("mixin", `there is no mode "${use}"`, { where: field });
  return { definition: definition as D, fields };
}
