import { KagurazakaError } from "../../base/errors.js";
import { isSameDirectory } from "../../base/names-on-disk.js";
import { type ResolvedModes, yieldsOf } from "../../contracts/modes.js";
import { madeUpRecord } from "../program/item-files.js";
import type { TaskProgram } from "../program/task-program.js";

/** The mistakes about modes that cannot work together. */
export async function checkModes(program: TaskProgram): Promise<KagurazakaError[]> {
  const mistakes: KagurazakaError[] = [];
  if (!program.modes) return mistakes;
  const { inputMode, outputMode, softShard } = program.modes;
  if (inputMode) await collect(mistakes, "input_mode", () => inputMode.definition.check?.(inputMode.fields));
  mistakes.push(...checkPairs(program, program.modes));
  if (softShard) await collect(mistakes, "soft_shard", () => softShard.definition.selector(softShard.fields));
  if (outputMode && mistakes.length === 0) await collect(mistakes, "output_mode", () => checkNaming(program));
  return mistakes;
}

/** Adds what `work` throws to the mistakes. */
export async function collect(mistakes: KagurazakaError[], where: string, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    mistakes.push(
      KagurazakaError.is(error)
        ? error
        : new KagurazakaError("bad-value", (error as Error).message, { where, cause: error }),
    );
  }
}

function checkPairs({ roots }: TaskProgram, modes: ResolvedModes): KagurazakaError[] {
  const mistakes: KagurazakaError[] = [];
  const { inputMode, outputMode, finishCheckMode } = modes;
  const refuse = (where: string, message: string, hint?: string): void =>
    void mistakes.push(new KagurazakaError("mixin", message, { where, ...(hint === undefined ? {} : { hint }) }));
  const input = inputMode?.definition.name ?? "generateTasks()";
  const yieldsRecords = !inputMode || yieldsOf(inputMode) === "record";
  if (outputMode?.definition.accepts === "file" && yieldsRecords)
    refuse(
      "output_mode",
      `${outputMode.definition.name} names outputs after input files, but ${input} yields records`,
      "Use an input mode that lists files, or leave the output mode out and let the task choose where it writes.",
    );
  if (roots.length > 1 && inputMode?.definition.readsInputRoot !== true)
    refuse(
      "hard_shard_mode.shard_idx",
      `${input} does not read the input root, so all ${roots.length} shards would list the same items`,
      "Run one shard at a time, or list files below the shards' roots.",
    );
  if (outputMode && roots.some(({ outputPath }) => outputPath === null))
    refuse("hard_shard_mode.output_path", `${outputMode.definition.name} needs an output path`);
  const rule = finishCheckMode?.definition.rule(finishCheckMode.fields);
  if (rule?.by !== "files") return mistakes;
  if (!outputMode)
    refuse(
      "finish_check_mode",
      `${finishCheckMode!.definition.name} looks at outputs, but there is no output mode`,
      "Add an output_mode, or use FinishCheckByLedger.",
    );
  if (rule.newerThanInput && yieldsRecords)
    refuse(
      "finish_check_mode.newer_than_input",
      "newer_than_input compares outputs with input files, but the items are records",
      "Leave it out, or use an input mode that lists files.",
    );
  return mistakes;
}

/** Names the outputs of a made-up file: fields that contradict one another are found before the first item is. */
function checkNaming({ modes, roots }: TaskProgram): void {
  const { outputMode, finishCheckMode } = modes!;
  const name = { key: "name.txt", relDir: ".", fileName: "name.txt" };
  const yieldsRecords = !modes!.inputMode || yieldsOf(modes!.inputMode) === "record";
  const outputs = outputMode!.definition.outputs(outputMode!.fields, {
    ...name,
    ...(yieldsRecords && { record: madeUpRecord }),
  });
  const rule = finishCheckMode?.definition.rule(finishCheckMode.fields);
  if (rule?.by === "files") rule.select(outputs);
  if (outputs.every(({ relPath }) => relPath !== name.fileName)) return;
  const inputRoots = roots.map(({ inputPath }) => inputPath);
  // Of another shard, too: its inputs have the same names.
  const both = inputRoots.find((input) =>
    roots.some(({ outputPath }) => outputPath !== null && isSameDirectory(input, outputPath)),
  );
  if (both === undefined) return;
  const message = `every output would replace an input of its name: the input root ${both} is an output root as well`;
  const hint = "Give the outputs another extension or another root.";
  throw new KagurazakaError("mixin", message, { where: "output_mode", hint });
}
