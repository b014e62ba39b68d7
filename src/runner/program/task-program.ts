import { resolve as resolvePath } from "node:path";
import type { Json } from "../../contracts/item.js";
import {
  type Fields,
  type ModeDefinition,
  type ResolvedMode,
  type ResolvedModes,
  type Root,
  templateModeFields,
  yieldsOf,
} from "../../contracts/modes.js";
import type { TaskClass, TaskInstance, TaskOptions, TaskRef } from "../../contracts/task.js";
import { templateOf } from "../../loader/import-task.js";
import { importArgument, importTaskClass, instantiate, resolveMode } from "./task-class.js";

/** A task on the coordinator's side: the class loaded, its modes resolved, its roots absolute. */
export interface TaskProgram {
  /** Sent to workers. */
  readonly ref: TaskRef;
  /** URL of its module on this machine. */
  readonly url: string;
  /** URL of the module that is its argument. */
  readonly moduleUrl: string | undefined;
  readonly exportName: string;
  readonly taskClass: TaskClass;
  readonly options: TaskOptions;
  readonly modes: ResolvedModes | null;
  readonly roots: readonly Root[];
  /** `false`: outputs are written straight to their final paths. */
  readonly atomic: boolean;
  createInstance(): TaskInstance;
}

/** A loaded task, with the options of this run. */
interface ProgramRequest extends Pick<TaskRef, "source" | "id" | "moduleHash"> {
  readonly url: string;
  readonly moduleUrl?: string | undefined;
  readonly exportName: string;
  readonly options: TaskOptions;
}

export async function loadProgram({
  url,
  moduleUrl,
  exportName,
  options,
  ...names
}: ProgramRequest): Promise<TaskProgram> {
  const taskClass = await importTaskClass(url, exportName);
  const module = await importArgument(moduleUrl, "builtin" in names.source ? names.source.argument : undefined);
  const resolved = await resolveModes(taskClass, options);
  const roots = resolved ? resolved.hardShardMode.definition.roots(resolved.hardShardMode.fields).map(absolute) : [];
  const noOutputs = templateOf(taskClass)?.outputsOptional === true && roots.every(({ outputPath }) => !outputPath);
  const modes = resolved && noOutputs ? withoutOutputs(resolved) : resolved;
  const { task, rawArgs } = options;
  return {
    ref: {
      ...names,
      kind: templateOf(taskClass)?.kind ?? "item",
      options: { task, rawArgs },
      template: modes && templateRef(modes),
    },
    url,
    moduleUrl,
    exportName,
    taskClass,
    options,
    modes,
    roots,
    atomic: templateOf(taskClass)?.atomic !== false,
    createInstance: () => instantiate(taskClass, options, module),
  };
}

/** For a task whose outputs are optional, without an output path: the ledger alone knows which items are finished. */
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

async function resolveModes(taskClass: TaskClass, options: TaskOptions): Promise<ResolvedModes | null> {
  if (options.template === null) return null;
  const modes: Record<string, ResolvedMode | null> = {};
  for (const field of Object.keys(templateModeFields))
    modes[field] = await resolveMode(taskClass, field, options.template[field] as ({ use: string } & Fields) | null);
  return modes as unknown as ResolvedModes;
}

/** Only what workers need: the coordinator alone lists inputs, so input mode and roots are left out. */
function templateRef({ inputMode, outputMode, finishCheckMode }: ResolvedModes): NonNullable<TaskRef["template"]> {
  return {
    yields: inputMode ? yieldsOf(inputMode) : "record",
    readsInputRoot: inputMode?.definition.readsInputRoot === true,
    outputMode: writtenMode(outputMode),
    finishCheckMode: writtenMode(finishCheckMode),
  };
}

const writtenMode = (mode: ResolvedMode<ModeDefinition> | null): Json =>
  mode && { use: mode.definition.name, ...(mode.fields as Record<string, Json>) };
