import { readFileSync } from "node:fs";
import { KagurazakaError, MistakesError, toErrorRecord } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { builtinNames, builtinTaskEntry, loadBuiltin } from "../../builtins.js";
import { missingTask } from "../../config/flags.js";
import type { RawInput } from "../../config/raw-input.js";
import { type ConfigOwners, type Peek, peekConfig, type Resolved, resolveConfig } from "../../config/resolve.js";
import type { BackboneDefinition } from "../../contracts/backbone.js";
import { yieldsOf } from "../../contracts/modes.js";
import type { TaskRef } from "../../contracts/task.js";
import { readKeys } from "../../data/key-list.js";
import { codeFrame, displayPath, type LoadedTask, loadBuiltinTask, loadTask } from "../../loader/index.js";
import { loadProgram, type TaskProgram } from "../program/task-program.js";
import { checkOptionalOutputs, checkTask, idOf } from "./check-task.js";
import { loadBackbone } from "./find-backbone.js";
import { checkInputFiles } from "./input-files.js";
import type { PreparedRun } from "./prepared-run.js";
import { checkRoots, resolveShardPaths } from "./shard-paths.js";

/** Task and backbone, loaded: whoever declares options is known. */
export interface Owners {
  readonly peek: Peek;
  readonly task: LoadedTask;
  readonly backbone: BackboneDefinition;
  readonly config: ConfigOwners;
}

export interface TaskChoice {
  /** A path, or `@name` for a ready-made task. */
  readonly file: string;
  readonly exportName?: string | undefined;
}

/** Loads what configuration is about. `choice` in place of what was said, for runs started from code. */
export async function loadOwners(said: RawInput, choice?: TaskChoice): Promise<Owners> {
  const peek = await peekConfig(said);
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

/** Names of all flags that backbones of the house have. */
async function otherBackboneFlags(): Promise<readonly string[]> {
  const all = await Promise.all(builtinNames("backbones").map((name) => loadBuiltin("backbones", name)));
  return all.flatMap((backbone) => Object.keys(backbone?.options ?? {}));
}

async function loadAnyTask({ file, exportName }: TaskChoice): Promise<LoadedTask> {
  if (!file.startsWith("@")) return loadTask({ file, ...(exportName === undefined ? {} : { exportName }) });
  const name = file.slice(1);
  const url = builtinTaskEntry(name);
  if (url !== undefined) return loadBuiltinTask(name, url);
  const known = builtinNames("tasks");
  throw new KagurazakaError("task-not-found", `there is no ready-made task "@${name}".${didYouMean(name, known)}`, {
    hint: `There are: ${known.map((one) => `@${one}`).join(", ")}.`,
  });
}

/** From what was said to a run that is decided and checked. Writes nothing; every mistake is a KagurazakaError of exit 2. */
export async function prepareRun(
  said: RawInput,
  choice?: TaskChoice,
): Promise<PreparedRun & { readonly config: Resolved }> {
  const owners = await loadOwners(said, choice);
  return prepareLoaded(said, owners);
}

export async function prepareLoaded(
  said: RawInput,
  owners: Owners,
): Promise<PreparedRun & { readonly config: Resolved }> {
  const { task, backbone } = owners;
  const config = await resolveConfig(said, owners.config);
  const id = idOf(task, config);
  const ref: TaskRef = {
    entry: task.entryUrl,
    export: task.exportName,
    id,
    options: config.task,
    modules: {},
    moduleHash: task.moduleHash,
  };
  const program = await loadProgram(ref);
  const shards = resolveShardPaths(id, program.roots, config.run.runDir);
  const readsInputRoot = program.modes?.inputMode?.definition.readsInputRoot === true;
  const mistakes = [
    ...checkModes(program),
    ...checkOptionalOutputs(program, config),
    ...checkRoots(program.roots, readsInputRoot, shards),
  ];
  if (config.run.skipFailed && config.run.retryFailed) {
    mistakes.push(
      new KagurazakaError("usage", "--skip-failed and --retry-failed contradict each other", {
        where: "--skip-failed",
      }),
    );
  }
  mistakes.push(...checkInputFiles(program.modes?.inputMode));
  if (config.run.keys !== undefined) collect(mistakes, "--keys", () => readKeys(config.run.keys!));
  MistakesError.throwIfAny(mistakes);
  const instance = createInstance(program, task.sourcePath);
  if (!program.modes?.inputMode && typeof instance.generateTasks !== "function") {
    throw new KagurazakaError("not-a-task", `${task.id} has no generateTasks() and no input mode, so it has no items`, {
      hint: "Add *generateTasks() { yield { … }; }, or an inputMode to its template.",
    });
  }
  await checkTask(program, instance);
  return {
    config,
    program,
    instance,
    backbone,
    workers: backbone.size(config.backbone.options).workers,
    shards,
    sourcePath: task.sourcePath,
  };
}

function createInstance(program: TaskProgram, sourcePath: string): ReturnType<TaskProgram["createInstance"]> {
  try {
    return program.createInstance();
  } catch (cause) {
    throw new KagurazakaError(
      "task-load",
      `the constructor of ${program.ref.id} threw: ${toErrorRecord(cause).message}`,
      {
        ...placeInTask(cause, sourcePath),
        cause,
      },
    );
  }
}

/** The topmost line of the stack that lies in the task's file, with the lines around it. */
function placeInTask(thrown: unknown, sourcePath: string): { where: string; frame?: string | undefined } {
  const stack = (thrown as Error | undefined)?.stack ?? "";
  const at = stack.split(`${sourcePath}:`)[1]?.match(/^(\d+):(\d+)/);
  if (!at) return { where: displayPath(sourcePath) };
  const [line, column] = [Number(at[1]), Number(at[2])];
  return {
    where: `${displayPath(sourcePath)}:${line}:${column}`,
    frame: codeFrame(readFileSync(sourcePath, "utf8"), line, column),
  };
}

/** Modes that cannot work together. */
function checkModes(program: TaskProgram): KagurazakaError[] {
  const mistakes: KagurazakaError[] = [];
  const { modes, roots } = program;
  if (!modes) return mistakes;
  const { inputMode, outputMode, finishCheckMode, softShard } = modes;
  if (inputMode) collect(mistakes, "input_mode", () => inputMode.definition.check?.(inputMode.fields));
  const yieldsRecords = !inputMode || yieldsOf(inputMode) === "record";
  if (outputMode?.definition.accepts === "file" && yieldsRecords) {
    mistakes.push(
      new KagurazakaError(
        "mixin",
        `${outputMode.definition.name} names outputs after input files, but ${inputMode ? `${inputMode.definition.name} yields records` : "generateTasks() yields records"}`,
        {
          where: "output_mode",
          hint: "Use an input mode that lists files, or leave the output mode out and write where the task likes.",
        },
      ),
    );
  }
  if (roots.length > 1 && inputMode?.definition.readsInputRoot !== true) {
    mistakes.push(
      new KagurazakaError(
        "mixin",
        `${inputMode?.definition.name ?? "generateTasks()"} does not read the input root, so all ${roots.length} shards would list the same items`,
        { where: "hard_shard_mode.shard_idx", hint: "Run one shard at a time, or list files below the shards' roots." },
      ),
    );
  }
  if (outputMode && roots.some(({ outputPath }) => outputPath === null)) {
    mistakes.push(
      new KagurazakaError("mixin", `${outputMode.definition.name} needs an output path`, {
        where: "hard_shard_mode.output_path",
      }),
    );
  }
  if (finishCheckMode && !outputMode && finishCheckMode.definition.rule(finishCheckMode.fields).by === "files") {
    mistakes.push(
      new KagurazakaError("mixin", `${finishCheckMode.definition.name} looks at outputs, but there is no output mode`, {
        where: "finish_check_mode",
        hint: "Add an output_mode, or use FinishCheckByLedger.",
      }),
    );
  }
  const rule = finishCheckMode?.definition.rule(finishCheckMode.fields);
  if (rule?.by === "files" && rule.newerThanInput && yieldsRecords) {
    mistakes.push(
      new KagurazakaError("mixin", "newer_than_input compares outputs with input files, but the items are records", {
        where: "finish_check_mode.newer_than_input",
        hint: "Leave it out, or use an input mode that lists files.",
      }),
    );
  }
  if (softShard) collect(mistakes, "soft_shard", () => softShard.definition.selector(softShard.fields));
  if (outputMode && mistakes.length === 0) collect(mistakes, "output_mode", () => checkNaming(program));
  return mistakes;
}

/** What `work` throws is one mistake more. */
function collect(mistakes: KagurazakaError[], where: string, work: () => unknown): void {
  try {
    work();
  } catch (error) {
    mistakes.push(
      KagurazakaError.is(error)
        ? error
        : new KagurazakaError("bad-value", (error as Error).message, { where, cause: error }),
    );
  }
}

/** One made-up file through output mode and finish check: fields that contradict one another show before any item does. */
function checkNaming({ modes, roots }: TaskProgram): void {
  const { outputMode, finishCheckMode } = modes!;
  const outputs = outputMode!.definition.outputs(outputMode!.fields, {
    key: "name.txt",
    relDir: ".",
    fileName: "name.txt",
  });
  const rule = finishCheckMode?.definition.rule(finishCheckMode.fields);
  if (rule?.by === "files") rule.select(outputs);
  const same = roots.some(({ inputPath, outputPath }) => inputPath === outputPath);
  if (same && outputs.some(({ relPath }) => relPath === "name.txt")) {
    throw new KagurazakaError(
      "mixin",
      "every output would replace its own input: the roots are the same and so are the names",
      {
        where: "output_mode",
        hint: "Give the outputs another extension or another root.",
      },
    );
  }
}
