import { readFileSync } from "node:fs";
import { KagurazakaError, MistakesError, toErrorRecord } from "../../base/errors.js";
import { sha256Hex } from "../../base/hash.js";
import { didYouMean } from "../../base/nearest.js";
import { builtinNames, builtinTaskEntry, loadBuiltin } from "../../builtins.js";
import { missingTask } from "../../config/flags.js";
import type { RawInput } from "../../config/raw-input.js";
import { type ConfigOwners, type Peek, peekConfig, type Resolved, resolveConfig } from "../../config/resolve.js";
import { type BackboneDefinition, isFleetBackbone } from "../../contracts/backbone.js";
import type { TaskInstance, TaskSource } from "../../contracts/task.js";
import { compileGlobs } from "../../data/globs/globs.js";
import { codeFrame, displayPath, type LoadedTask, loadBuiltinTask, loadExport, loadTask } from "../../loader/index.js";
import { shapesOf } from "../program/executor-shape.js";
import { loadProgram, type TaskProgram } from "../program/task-program.js";
import { checkModes, collect } from "./check-modes.js";
import { checkOptionalOutputs, checkTask, idOf } from "./check-task.js";
import { loadBackbone } from "./find-backbone.js";
import { checkInputFiles } from "./input-files.js";
import type { PreparedRun } from "./prepared-run.js";
import { checkRoots, resolveShardPaths } from "./shard-paths.js";

/** A loaded task, with its name for other machines. */
type SourcedTask = LoadedTask & { readonly source: TaskSource; readonly moduleUrl?: string };

/** The loaded task and backbone, which declare options of their own. */
interface Owners {
  readonly peek: Peek;
  readonly task: SourcedTask;
  readonly backbone: BackboneDefinition;
  readonly config: ConfigOwners;
}

export interface TaskChoice {
  /** A path, or `@name` for a ready-made task. */
  readonly file: string;
  readonly exportName?: string | undefined;
}

/** Loads task and backbone. `choice` replaces the task of the input, for runs started from code. */
export async function loadOwners(input: RawInput, choice?: TaskChoice): Promise<Owners> {
  const peek = await peekConfig(input);
  const file = choice?.file ?? peek.taskFile;
  if (file === undefined) throw missingTask();
  const task = await loadAnyTask({ file, exportName: choice?.exportName ?? peek.exportName });
  const kind = peek.help === undefined ? (task.template?.kind ?? "item") : undefined;
  const backbone = await loadBackbone(peek.backbone, kind, task.sourcePath);
  return {
    peek,
    task,
    backbone,
    config: {
      backboneName: backbone.name,
      backboneOptions: backbone.options,
      taskName: task.id,
      taskOptions: task.taskClass.options ?? {},
      rawArgs: task.taskClass.rawArgs === true,
      taskDefaults: task.taskClass.defaults,
      otherBackboneFlags,
      template: task.template,
      scriptPath: task.sourcePath,
      loadMode: async (name) => (await loadBuiltin("modes", name))?.definition,
      modeNames: builtinNames("modes"),
    },
  };
}

/** Stands for the task file in messages to other machines, each of which knows its own path of it. */
const TASK_ALIAS = "task";

/** The names of all flags of the built-in backbones. */
async function otherBackboneFlags(): Promise<readonly string[]> {
  const all = await Promise.all(builtinNames("backbones").map((name) => loadBuiltin("backbones", name)));
  return all.flatMap((backbone) => Object.keys(backbone?.options ?? {}));
}

async function loadAnyTask({ file, exportName }: TaskChoice): Promise<SourcedTask> {
  if (!file.startsWith("@")) {
    const task = await loadTask({ file, ...(exportName === undefined ? {} : { exportName }) });
    return { ...task, source: { alias: TASK_ALIAS, export: task.exportName } };
  }
  const name = file.slice(1);
  const url = builtinTaskEntry(name);
  if (url !== undefined) return withArgument(name, await loadBuiltinTask(name, url), exportName);
  const known = builtinNames("tasks");
  throw new KagurazakaError("task-not-found", `there is no ready-made task "@${name}".${didYouMean(name, known)}`, {
    hint: `There are: ${known.map((one) => `@${one}`).join(", ")}.`,
  });
}

/** A ready-made task with the export of a user's module that it takes. The code of both is the task's. */
async function withArgument(name: string, task: LoadedTask, argument: string | undefined): Promise<SourcedTask> {
  const wanted = task.taskClass.argument;
  // That it is missing is said when a run is prepared: the page of its help needs none.
  if (argument === undefined) return { ...task, source: { builtin: name } };
  if (!wanted)
    throw new KagurazakaError("usage", `@${name} takes no "${argument}" behind its name`, { where: argument });
  const module = await loadExport(argument);
  const moduleHash = sha256Hex(`${task.moduleHash}\n${module.moduleHash}\n${module.exportName}`);
  const source = { builtin: name, argument: module.exportName };
  const { entryUrl: moduleUrl, sourcePath, files, fileHashes } = module;
  return { ...task, source, moduleUrl, moduleHash, sourcePath, files, fileHashes };
}

/** @throws KagurazakaError for a ready-made task that takes an export, and has none */
function checkArgument({ source, taskClass }: SourcedTask): void {
  const wanted = taskClass.argument;
  if (!wanted || !("builtin" in source) || source.argument !== undefined) return;
  const task = `@${source.builtin}`;
  const hint = `${wanted.help}: kagurazaka ${task} ${wanted.placeholder} …`;
  throw new KagurazakaError("usage", `${task} needs ${wanted.placeholder}`, { where: task, hint });
}

type Prepared = PreparedRun & { readonly config: Resolved };

/** Resolves and checks everything that a run needs. Writes nothing; every mistake is a KagurazakaError of exit 2. */
export async function prepareRun(input: RawInput, choice?: TaskChoice): Promise<Prepared> {
  return prepareLoaded(input, await loadOwners(input, choice));
}

/** @param side a node does not list: it needs no list of inputs, and no way to make one */
export async function prepareLoaded(
  input: RawInput,
  owners: Owners,
  side: "coordinator" | "node" = "coordinator",
): Promise<Prepared> {
  const { task, backbone } = owners;
  checkArgument(task);
  const resolved = await resolveConfig(input, owners.config);
  const mistakes: KagurazakaError[] = [];
  const config = await withKeys(resolved, mistakes);
  const id = idOf(task, config);
  const { source, entryUrl: url, moduleUrl, exportName, moduleHash } = task;
  const program = await loadProgram({ source, url, moduleUrl, exportName, id, moduleHash, options: config.task });
  const shards = resolveShardPaths(id, program.roots, config.run.runDir);
  const readsInputRoot = program.modes?.inputMode?.definition.readsInputRoot === true;
  mistakes.push(...(await checkModes(program)), ...checkRoots(program.roots, readsInputRoot, shards, id));
  if (config.run.skipFailed && config.run.retryFailed) {
    const message = "--skip-failed and --retry-failed contradict each other";
    mistakes.push(new KagurazakaError("usage", message, { where: "--skip-failed" }));
  }
  if (isFleetBackbone(backbone)) await collect(mistakes, "options", () => config.written());
  // A node gets all values from the run, whose coordinator has checked them.
  if (side === "coordinator")
    mistakes.push(...checkOptionalOutputs(program, config), ...checkInputFiles(program.modes?.inputMode));
  await collect(mistakes, "--only", () => compileGlobs(config.run.only));
  MistakesError.throwIfAny(mistakes);
  const instance = createInstance(program, task.sourcePath);
  if (!program.modes?.inputMode && typeof instance.generateTasks !== "function") {
    throw new KagurazakaError("not-a-task", `${task.id} has no generateTasks() and no input mode, so it has no items`, {
      hint: "Add *generateTasks() { yield { … }; }, or an inputMode to its template.",
    });
  }
  const notes = [...config.notes];
  await checkTask(program, instance, { side, note: (message) => notes.push(message) });
  return {
    config: { ...config, notes },
    program,
    instance,
    backbone,
    shapes: isFleetBackbone(backbone)
      ? []
      : shapesOf(program.ref.kind, config.run, backbone.size(config.backbone.options).workers),
    shards,
    baseId: task.id,
    sourcePath: task.sourcePath,
    fileHashes: task.fileHashes,
  };
}

/** The file of `--keys` is read once: it may be a pipe. */
async function withKeys(config: Resolved, mistakes: KagurazakaError[]): Promise<Resolved> {
  let { keys } = config.run;
  if (typeof keys !== "string") return config;
  const source = keys;
  await collect(mistakes, "--keys", async () => {
    keys = await (await import("../../data/lists/key-list.js")).readKeys(source);
  });
  return { ...config, run: { ...config.run, keys } };
}

function createInstance(program: TaskProgram, sourcePath: string): TaskInstance {
  try {
    return program.createInstance();
  } catch (cause) {
    const message = `the constructor of ${program.ref.id} threw: ${toErrorRecord(cause).message}`;
    throw new KagurazakaError("task-load", message, { ...positionOf(cause, sourcePath), cause });
  }
}

/** The topmost stack frame in the task's file, with the lines around it. */
function positionOf(thrown: unknown, sourcePath: string): { where: string; frame?: string | undefined } {
  const stack = (thrown as Error | undefined)?.stack ?? "";
  const at = stack.split(`${sourcePath}:`)[1]?.match(/^(\d+):(\d+)/);
  if (!at) return { where: displayPath(sourcePath) };
  const [line, column] = [Number(at[1]), Number(at[2])];
  return {
    where: `${displayPath(sourcePath)}:${line}:${column}`,
    frame: codeFrame(readFileSync(sourcePath, "utf8"), line, column),
  };
}
