import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { settles } from "../../base/settles.js";
import { type Yields, yieldsOf } from "../../contracts/modes.js";
import type { ConfigEntry, ResolvedConfig } from "../../contracts/run-config.js";
import type { RunPlan, TaskInstance } from "../../contracts/task.js";
import { templateOf } from "../../loader/import-task.js";
import type { LoadedTask } from "../../loader/index.js";
import { madeUpRecord, type nameOfItem, outputsOf } from "../program/item-files.js";
import type { TaskProgram } from "../program/task-program.js";

/** The task's id with these options, which names its ledger. */
export function idOf({ taskClass, id }: LoadedTask, { task }: ResolvedConfig): string {
  const own = taskClass.idFor?.(task);
  if (own === undefined) return id;
  if (typeof own === "string" && /^[\w][\w.-]{0,127}$/.test(own)) return own;
  const message = `idFor() of ${id} returned ${JSON.stringify(own)}, which cannot be the name of a directory`;
  const hint = "Return a text of letters, digits, dots, underscores and hyphens.";
  throw new KagurazakaError("not-a-task", message, { hint });
}

/** Calls the task's `check()`. What it throws is a mistake in the options or modes of this run. */
export async function checkTask(
  program: TaskProgram,
  instance: TaskInstance,
  ports: Pick<RunPlan, "side" | "note">,
): Promise<void> {
  if (typeof instance.check !== "function") return;
  try {
    await settles(`check() of ${program.ref.id}`, instance.check({ ...planOf(program), ...ports }));
  } catch (thrown) {
    if (KagurazakaError.is(thrown)) throw thrown;
    const hint = (thrown as { hint?: unknown } | null | undefined)?.hint;
    throw new KagurazakaError("usage", toErrorRecord(thrown).message, {
      where: program.ref.id,
      ...(typeof hint === "string" ? { hint } : {}),
      cause: thrown,
    });
  }
}

/** Made-up names, to find out which outputs an item has. */
const madeUp: Readonly<Record<Yields, ReturnType<typeof nameOfItem>>> = {
  file: { relDir: ".", fileName: "name.txt" },
  group: { relDir: ".", fileName: "name", stem: "name" },
  record: { record: madeUpRecord },
};

function planOf({ modes, roots }: TaskProgram): Omit<RunPlan, "side" | "note"> {
  const input = modes?.inputMode;
  const yields = input && yieldsOf(input);
  const outputs = outputsOf(modes, "name.txt", madeUp[yields ?? "record"]);
  return {
    inputMode: input && yields ? { name: input.definition.name, yields } : null,
    outputRoot: roots[0]?.outputPath ?? null,
    outputs: outputs.map(({ field, type }) => ({ field, type })),
  };
}

/** Fields of the output mode without an output path are a mistake: they would have no effect. */
export function checkOptionalOutputs(
  { modes, taskClass }: TaskProgram,
  { entries }: { readonly entries: readonly ConfigEntry[] },
): KagurazakaError[] {
  if (!modes || modes.outputMode || templateOf(taskClass)?.outputsOptional !== true) return [];
  const entry = entries.find(
    ({ path, origin }) =>
      path.startsWith("mixin.output_mode.") && origin.kind !== "decorator" && origin.kind !== "default",
  );
  if (!entry) return [];
  const message = `${entry.path.slice("mixin.".length)} names outputs, but there is no output path`;
  return [new KagurazakaError("mixin", message, { where: entry.origin.text, hint: "Add --out DIR." })];
}
