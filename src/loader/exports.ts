import { KagurazakaError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import type { TaskClass } from "../contracts/task.js";

/** What a module exports, by name; a Map, so that `toString` and `constructor` are not found in it. */
export type Exports = ReadonlyMap<string, unknown>;

/**
 * The exports of an imported module. CommonJS arrives as one default export: what its `module.exports` holds is exported, as
 * far as it is tasks or was compiled from ES exports.
 */
export function exportsOf(namespace: object): Exports {
  const own = new Map<string, unknown>(Object.entries(namespace));
  const inner: unknown = own.get("default");
  if ((typeof inner !== "object" && typeof inner !== "function") || inner === null) return own;
  const names = Object.getOwnPropertyNames(inner).filter((name) => name !== "__esModule");
  const entries = names.map((name) => [name, (inner as Readonly<Record<string, unknown>>)[name]] as const);
  if ((inner as { __esModule?: unknown }).__esModule === true) return new Map(entries);
  if (own.size > 1) return own;
  if (typeof inner === "function") return new Map([...own, ...entries.filter(([, value]) => isTaskClass(value))]);
  return entries.some(([, value]) => isTaskClass(value)) ? new Map(entries) : own;
}

function isTaskClass(value: unknown): value is TaskClass {
  if (typeof value !== "function") return false;
  const prototype = (value as { prototype?: { process?: unknown } }).prototype;
  return typeof prototype === "object" && prototype !== null && typeof prototype.process === "function";
}

interface ExportsOrigin {
  /** The file's name, for messages. */
  readonly source: string;
  /** Its text, to find a class that only lacks the word `export`. */
  readonly text?: string;
}

export interface SelectedTask {
  readonly exportName: string;
  readonly taskClass: TaskClass;
}

const TASK_HINT = "A task is an exported class with a process(item, ctx) method.";

/** The task of that export; without a name, the only task there is. */
export function selectTask(exports: Exports, wanted: string | undefined, origin: ExportsOrigin): SelectedTask {
  if (wanted === undefined) return onlyTask(exports, origin);
  const value = exports.get(wanted);
  if (isTaskClass(value)) return { exportName: wanted, taskClass: value };
  if (exports.has(wanted)) {
    const message = `export "${wanted}" of ${origin.source} is not a task but ${describe(value)}`;
    throw new KagurazakaError("not-a-task", message, { where: origin.source, hint: taskList(exports) ?? TASK_HINT });
  }
  const near = didYouMean(wanted, exports.keys());
  throw new KagurazakaError("task-not-found", `${origin.source} exports no "${wanted}".${near}`, {
    where: origin.source,
    hint: notExported(wanted, exports, origin) ?? taskList(exports) ?? `It exports no task at all. ${TASK_HINT}`,
  });
}

/** The name of an export that exists; without a wanted one, of the only one. */
export function selectExport(exports: Exports, wanted: string | undefined, source: string): string {
  const names = [...exports.keys()];
  if (wanted !== undefined && exports.has(wanted)) return wanted;
  const hint = names.length === 0 ? "It exports nothing." : `It exports ${names.join(", ")}.`;
  if (wanted !== undefined)
    throw new KagurazakaError("task-not-found", `${source} exports no "${wanted}".${didYouMean(wanted, names)}`, {
      where: source,
      hint,
    });
  if (names.length === 1) return names[0]!;
  throw new KagurazakaError(
    "task-not-found",
    `${source} has ${names.length} exports: say which, as in ${source}#${names[0] ?? "clean"}`,
    { where: source, hint },
  );
}

function onlyTask(exports: Exports, origin: ExportsOrigin): SelectedTask {
  const byClass = new Map<TaskClass, string>();
  // One class under two names is one task, by its other name than "default".
  for (const [name, value] of exports)
    if (isTaskClass(value) && (byClass.get(value) ?? "default") === "default") byClass.set(value, name);
  if (byClass.size === 1) for (const [taskClass, exportName] of byClass) return { exportName, taskClass };
  if (byClass.size > 1) {
    throw new KagurazakaError("task-not-found", `${origin.source} exports several tasks: say which`, {
      where: origin.source,
      hint: taskList(exports),
    });
  }
  const what = [...exports].map(([name, value]) => `${name} (${describe(value)})`).join(", ");
  const [lacking] = classesIn(origin);
  throw new KagurazakaError("not-a-task", `${origin.source} exports no task${what && `, only ${what}`}`, {
    where: origin.source,
    hint: (lacking !== undefined && !exports.has(lacking) && notExported(lacking, exports, origin)) || TASK_HINT,
  });
}

const classesIn = ({ text = "" }: ExportsOrigin): (string | undefined)[] =>
  Array.from(text.matchAll(/\bclass\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)/gu), ([, name]) => name);

function notExported(name: string, exports: Exports, origin: ExportsOrigin): string | undefined {
  const fallback = exports.get("default");
  if (isTaskClass(fallback) && fallback.name === name)
    return `class ${name} is the default export: name it "default", or leave the name out.`;
  if (!classesIn(origin).includes(name)) return undefined;
  return `There is a class ${name}, but it is not exported: write "export class ${name}".`;
}

function taskList(exports: Exports): string | undefined {
  const names = [...exports].filter(([, value]) => isTaskClass(value)).map(([name]) => name);
  return names.length === 0 ? undefined : `Tasks in this file: ${names.join(", ")}`;
}

function describe(value: unknown): string {
  if (typeof value === "function")
    return /^class\b/.test(Function.prototype.toString.call(value)) ? "a class without process()" : "a function";
  if (Array.isArray(value)) return "an array";
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  return isTaskClass((value as object).constructor) ? "an instance (the class itself is to be exported)" : "an object";
}
