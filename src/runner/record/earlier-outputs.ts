import { join } from "node:path";
import { encodeItem } from "../../base/canonical-json.js";
import { readOwn, readOwnNames } from "../../base/own-file.js";
import type { Fields, OutputDefinition, ResolvedMode } from "../../contracts/modes.js";
import { resolveMode } from "../program/task-class.js";
import type { TaskProgram } from "../program/task-program.js";

type Written = { use: string } & Fields;

/** The output modes by which earlier runs named their outputs, but for this run's own. */
export async function earlierOutputModes(
  { ref, taskClass }: Pick<TaskProgram, "ref" | "taskClass">,
  runsDir: string,
): Promise<ResolvedMode<OutputDefinition>[]> {
  const written = new Map<string, Written>();
  for (const run of readOwnNames(runsDir)) {
    const mode = readOutputMode(join(runsDir, run, "run.json"));
    if (mode) written.set(encodeItem(mode), mode);
  }
  written.delete(encodeItem(ref.template?.outputMode ?? null));
  const modes: ResolvedMode<OutputDefinition>[] = [];
  for (const mode of written.values()) {
    // The task may have had a mode of its own that is no more.
    const resolved = await resolveMode<OutputDefinition>(taskClass, "outputMode", mode).catch(() => null);
    if (resolved) modes.push(resolved);
  }
  return modes;
}

/** Undefined where the task had none, or the record cannot be read. */
function readOutputMode(file: string): Written | undefined {
  try {
    const { outputMode } = JSON.parse(readOwn(file)) as { readonly outputMode?: Written | null };
    return outputMode ?? undefined;
  } catch {
    return undefined;
  }
}
