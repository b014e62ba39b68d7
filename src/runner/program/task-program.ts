import { resolve as resolvePath } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import { loadBuiltin } from "../../builtins.js";
import { modeDefinitionOf } from "../../contracts/define.js";
import {
  type Fields,
  type ModeDefinition,
  type OutputEntry,
  type ResolvedMode,
  type ResolvedModes,
  type Root,
  templateModeFields,
} from "../../contracts/modes.js";
import type { TaskClass, TaskInstance, TaskRef } from "../../contracts/task.js";
import { templateOf } from "../../loader/import-task.js";
import type { FilesName } from "./item-files.js";

/** A task made ready on one side of the border: the class loaded, its modes resolved, its roots absolute. */
export interface TaskProgram {
  readonly ref: TaskRef;
  readonly taskClass: TaskClass;
  readonly modes: ResolvedModes | null;
  readonly roots: readonly Root[];
  /** `false`: outputs are written straight to their final paths. */
  readonly atomic: boolean;
  createInstance(): TaskInstance;
}

/** Imports the task and resolves its modes. The same on both sides: coordinator and worker see one meaning. */
export async function loadProgram(ref: TaskRef): Promise<TaskProgram> {
  const module = (await import(ref.entry)) as Record<string, unknown>;
  const taskClass = module[ref.export] as TaskClass | undefined;
  if (typeof taskClass !== "function")
    throw new KagurazakaError("task-not-found", `${ref.entry} has no export ${ref.export}`);
  const resolved = await resolveModes(taskClass, ref);
  const roots = resolved ? resolved.hardShardMode.definition.roots(resolved.hardShardMode.fields).map(absolute) : [];
  const noOutputs = templateOf(taskClass)?.outputsOptional === true && roots.every(({ outputPath }) => !outputPath);
  const modes = resolved && noOutputs ? withoutOutputs(resolved) : resolved;
  return {
    ref,
    taskClass,
    modes,
    roots,
    atomic: templateOf(taskClass)?.atomic !== false,
    createInstance() {
      const instance = new taskClass();
      instance.options = Object.freeze({ ...ref.options.task });
      Object.defineProperty(instance, "rawArgs", { value: Object.freeze([...ref.options.rawArgs]), enumerable: false });
      return instance;
    },
  };
}

/** For a task whose outputs are optional, where no output path is said: the ledger alone tells what is finished. */
function withoutOutputs(modes: ResolvedModes): ResolvedModes {
  const { finishCheckMode } = modes;
  const looks = finishCheckMode?.definition.rule(finishCheckMode.fields).by === "files";
  return { ...modes, outputMode: null, finishCheckMode: looks ? null : finishCheckMode };
}

function absolute(root: Root): Root {
  return {
    inputPath: resolvePath(root.inputPath),
    outputPath: root.outputPath === null ? null : resolvePath(root.outputPath),
  };
}

async function resolveModes(taskClass: TaskClass, ref: TaskRef): Promise<ResolvedModes | null> {
  const resolved = ref.options.template;
  if (resolved === null) return null;
  const template = templateOf(taskClass);
  const modes: Record<string, ResolvedMode | null> = {};
  for (const field of Object.keys(templateModeFields)) {
    const data = resolved[field] as ({ use: string } & Fields) | null | undefined;
    if (!data) {
      modes[field] = null;
      continue;
    }
    const { use, ...fields } = data;
    const written = modeDefinitionOf(template?.spec[field]);
    const definition: ModeDefinition | undefined =
      written?.name === use ? written : (await loadBuiltin("modes", use))?.definition;
    if (!definition) throw new KagurazakaError("mixin", `there is no mode "${use}"`, { where: field });
    modes[field] = { definition, fields };
  }
  return modes as unknown as ResolvedModes;
}

/** The outputs declared for one item; none without an output mode. */
export function outputsOf(
  modes: ResolvedModes | null,
  key: string,
  files: FilesName | undefined,
): readonly OutputEntry[] {
  const mode = modes?.outputMode;
  if (!mode) return [];
  return mode.definition.outputs(mode.fields, { key, relDir: ".", fileName: key, ...files });
}
