import { KagurazakaError } from "../../base/errors.js";
import { yieldsOf } from "../../contracts/modes.js";
import type { TaskProgram } from "../program/task-program.js";

/** Modes that cannot work together. */
export function checkModes(program: TaskProgram): KagurazakaError[] {
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
export function collect(mistakes: KagurazakaError[], where: string, work: () => unknown): void {
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
      { where: "output_mode", hint: "Give the outputs another extension or another root." },
    );
  }
}
